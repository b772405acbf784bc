import ArgumentParser
import WireFormat

/// How every outbox stands.
struct OutboxStatus: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Shows how much waits for its publication, since when, and who publishes.")

  @Flag(help: "Prints JSON.")
  var json = false

  @OptionGroup var stackOptions: StackOptions

  func run() async throws {
    var outboxes: [ObservedOutbox] = []
    var silent: [Failure] = []
    for service in try stackOptions.stack().clients.all {
      do {
        let answer = try await service.get("/outbox", query: [("limit", "1")])
        outboxes.append(ObservedOutbox(service: service.name, status: answer["status"]?.object ?? JSONObject()))
      } catch let failure as Failure {
        silent.append(failure)
      }
    }
    if json {
      Output.standard.line(bytes: OutboxList(outboxes: outboxes).jsonBytes)
    } else if !outboxes.isEmpty {
      table(of: outboxes).write(to: .standard)
      for outbox in outboxes {
        guard let trouble = outbox.relay?["trouble"]?.string else { continue }
        Output.standard.line("\(outbox.service): \(trouble.printable)")
      }
    }
    for failure in silent.dropLast() { Output.error.line("orderflow: \(failure)") }
    if let last = silent.last { throw last }
  }

  private func table(of outboxes: [ObservedOutbox]) -> Table {
    var table = Table(
      .text("SERVICE"), .number("UNPUBLISHED"), .text("OLDEST"), .number("LAST SEQUENCE"), .number("EPOCH"),
      .text("RELAY"))
    for outbox in outboxes {
      table.add(
        outbox.service, outbox.number("unpublished"), outbox.status["oldest_unpublished_at"]?.string ?? "-",
        outbox.number("last_sequence"), outbox.number("publish_epoch"),
        outbox.status["lease_holder"]?.string ?? "nobody")
    }
    return table
  }
}

private struct ObservedOutbox: JSONEncodable {
  var service: String
  var status: JSONObject

  /// Of the instance that was asked.
  var relay: JSONObject? { status["relay"]?.object }

  func number(_ name: String) -> String { status[name]?.number?.text ?? "-" }

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("service", service)
      for member in status.members { json.member(name: member.name, member.value) }
    }
  }
}

private struct OutboxList: JSONEncodable {
  var outboxes: [ObservedOutbox]

  func write(to json: inout JSONWriter) {
    json.object { $0.member("outboxes", outboxes) }
  }
}

import ArgumentParser
import WireFormat

/// Publishes again what was published before.
struct ReplayOutbox: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay", abstract: "Publishes again what the outboxes have published before.",
    discussion: """
      For example: orderflow outbox replay --order 0198c0de-...

      Without --since and --order everything that the outboxes still hold. Consumers drop what they have had, so this \
      does no harm: it brings back what a topic has lost, and mends a gap. Of dead letters only the open ones are \
      published again. A run that was interrupted can be repeated.
      """)

  @Option(
    help: ArgumentHelp("Only what was published last at or after a time, as 2026-11-22T20:21:07Z.", valueName: "time"),
    transform: Self.time)
  var since: Timestamp?

  @Option(name: [.customLong("order")], help: ArgumentHelp("Only the events of this order.", valueName: "id"))
  var orderID: String?

  @OptionGroup var rateOption: RateOption

  @Flag(help: "Counts what would be published again, and does nothing.")
  var dryRun = false

  @Flag(help: "Prints JSON.")
  var json = false

  @OptionGroup var stackOptions: StackOptions

  func validate() throws {
    guard orderID.map({ (1...256).contains($0.unicodeScalars.count) }) ?? true else {
      throw ValidationError("--order has to have 1 to 256 characters")
    }
  }

  func run() async throws {
    var replayed: [ReplayedOutbox] = []
    let finished: Result<Void, any Error>
    do {
      // Begun at all of them before anything is published: what a service answers to the events that come again is
      // not part of the replay.
      var begun: [(service: ServiceClient, cursor: String?)] = []
      for service in try stackOptions.stack().clients.all {
        begun.append((service, try await step(of: service, limit: 0, cursor: nil).next))
      }
      for (service, cursor) in begun {
        replayed.append(ReplayedOutbox(service: service.name, rows: 0))
        try await replay(service, from: cursor) { replayed[replayed.count - 1].rows += $0 }
      }
      finished = .success(())
    } catch {
      finished = .failure(error)
    }
    if json {
      Output.standard.line(bytes: ReplayReport(isDryRun: dryRun, outboxes: replayed).jsonBytes)
    } else {
      for outbox in replayed where outbox.rows > 0 { Output.standard.line("\(outbox.service): \(outbox.rows.grouped)") }
      Output.standard.line(summary(of: replayed.reduce(0) { $0 + $1.rows }))
    }
    try finished.get()
  }

  private func replay(_ service: ServiceClient, from begin: String?, _ took: (Int) -> Void) async throws {
    let progress = Progress()
    defer { progress.clear() }
    var pace = Pace(rate: rateOption.rate)
    let limit = Self.step(rateOption.rate)
    var cursor = begin
    var rows = 0
    while cursor != nil {
      try await pace.wait(for: limit)
      let step = try await step(of: service, limit: limit, cursor: cursor)
      took(step.rows)
      rows += step.rows
      progress.show(service.name, rows.grouped)
      cursor = step.next
    }
  }

  private func step(
    of service: ServiceClient, limit: Int, cursor: String?
  ) async throws -> (rows: Int, next: String?) {
    let request = ReplayRequest(since: since, orderID: orderID, limit: limit, cursor: cursor, isDryRun: dryRun)
    let answer = try await service.sendPatiently(
      "POST", "/outbox/replay", body: request.jsonBytes, timeout: .seconds(60))
    guard answer.isSuccess, let body = answer.object, let rows = body["rows"]?.number?.int64.flatMap({ Int($0) })
    else { throw Failure("\(service.name) answered POST /outbox/replay with \(answer.problem)") }
    return (rows, body["next_cursor"]?.string)
  }

  /// How many rows to ask for at once: a second's worth, so that a slow rate is an even one.
  static func step(_ rate: Double?) -> Int { rate.map { max(1, min(1000, Int($0))) } ?? 1000 }

  private func summary(of rows: Int) -> String {
    if rows == 0 { return "No outbox has anything that this means." }
    let events = "\(rows.grouped) \(rows == 1 ? "event" : "events")"
    return dryRun ? "\(events) would be published again; nothing was done (--dry-run)." : "\(events) published again."
  }

  @Sendable private static func time(_ text: String) throws -> Timestamp {
    guard let time = Timestamp(rfc3339: text) else {
      throw ValidationError("'\(text.printable)' is not a time like 2026-11-22T20:21:07Z")
    }
    return time
  }
}

/// A step of a replay, as `POST /outbox/replay` takes it.
private struct ReplayRequest: JSONEncodable {
  var since: Timestamp?
  var orderID: String?
  var limit: Int
  var cursor: String?
  var isDryRun: Bool

  func write(to json: inout JSONWriter) {
    json.object { json in
      if let since { json.member("since", since) }
      if let orderID { json.member("order_id", orderID) }
      json.member("limit", limit)
      if let cursor { json.member("cursor", cursor) }
      json.member("dry_run", isDryRun)
    }
  }
}

private struct ReplayedOutbox: JSONEncodable {
  var service: String
  var rows: Int

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("service", service)
      json.member("rows", rows)
    }
  }
}

private struct ReplayReport: JSONEncodable {
  var isDryRun: Bool
  var outboxes: [ReplayedOutbox]

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("dry_run", isDryRun)
      json.member("rows", outboxes.reduce(0) { $0 + $1.rows })
      json.member("outboxes", outboxes)
    }
  }
}

import ArgumentParser
import WireFormat

/// Every dead letter, what is parked behind them, and gaps.
struct ListDeadLetters: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists dead letters, and orders whose events wait for an earlier one.",
    discussion: """
      An order that waits for a version without a dead letter before it has a gap: an event that has never come. \
      `orderflow outbox replay --order` brings it, `orderflow dlq discard --key` gives it up.
      """)

  enum Status: String, CaseIterable, ExpressibleByArgument {
    case open, resolved, discarded
  }

  @Option(help: "Only those: open, resolved or discarded.")
  var status: Status?

  @Option(help: ArgumentHelp("Only this consumer group's.", valueName: "group"))
  var group: String?

  @Option(help: ArgumentHelp("Only those of this key: an order's id.", valueName: "key"))
  var key: String?

  @Option(help: ArgumentHelp("Only those whose error has this text in it.", valueName: "text"))
  var error: String?

  @Flag(help: "Prints JSON.")
  var json = false

  @OptionGroup var stackOptions: StackOptions

  func validate() throws {
    guard key != "", error != "", group != "" else { throw ValidationError("an option's value is empty") }
  }

  func run() async throws {
    let queues = try await DeadLetterQueues.open(try stackOptions.stack(), group: group)
    let letters = try await queues.letters(DeadLetterQueue.Filter(status: status?.rawValue, key: key, error: error))
    // What is parked waits for an open one, and has no error itself.
    let showsParked = (status == nil || status == .open) && error == nil
    let parked = showsParked ? try await queues.parked(ofKey: key) : []
    if json {
      Output.standard.line(bytes: DeadLetterList(letters: letters, parked: parked).jsonBytes)
    } else {
      DeadLetterTable(letters: letters, parked: parked).write(to: .standard)
    }
    try queues.report()
  }
}

private struct DeadLetterList: JSONEncodable {
  var letters: [ListedDeadLetter]
  var parked: [ParkedOrder]

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("dead_letters", letters)
      json.member("parked", parked.filter { !$0.isGap })
      json.member("gaps", parked.filter(\.isGap))
    }
  }
}

/// Dead letters and parked orders for people.
struct DeadLetterTable {
  var letters: [ListedDeadLetter]
  var parked: [ParkedOrder] = []

  func write(to output: Output) {
    if letters.isEmpty {
      output.line("No dead letters.")
    } else {
      table.write(to: output)
    }
    list(parked.filter { !$0.isGap }, under: "Parked behind a dead letter", in: output)
    list(parked.filter(\.isGap), under: "Gaps: an event has never come", in: output)
  }

  private var table: Table {
    var table = Table(
      .text("ID"), .text("STATUS"), .text("EVENT"), .text("ORDER"), .number("VERSION"), .text("FROM"),
      .number("REDRIVES"), .text("FAILED AT"), .text("ERROR"))
    for letter in letters {
      table.add(
        letter.name.description, letter.status, letter.text("event_type") ?? "-",
        letter.orderID ?? letter.text("original_key") ?? "-", letter.number("order_version"), letter.place,
        letter.number("redrives"), letter.failedAt, Self.shortened(letter.error))
    }
    return table
  }

  private func list(_ orders: [ParkedOrder], under title: String, in output: Output) {
    guard !orders.isEmpty else { return }
    output.line()
    output.line(output.palette.bold("\(title): \(orders.count.grouped)"))
    for order in orders { output.line("  \(order.line.printable)") }
  }

  /// `dlq show` has all of it.
  private static func shortened(_ error: String) -> String {
    error.count > 100 ? error.prefix(99) + "…" : error
  }
}

import ArgumentParser
import EventSchema
import Foundation
import WireFormat

/// Places an order.
struct PlaceOrder: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "order", abstract: "Places an order, and follows it to its end with --wait.",
    discussion: """
      For example: orderflow order --customer ada --item keyboard:2:49.90 --item mouse:1 --wait

      Ends with 1 when the order is refused; with --wait also when it is not confirmed.
      """)

  @Option(help: ArgumentHelp("Who orders.", valueName: "id"), transform: Self.customer)
  var customer: CustomerID

  @Option(
    name: [.customLong("item")],
    help: ArgumentHelp(
      "What, how many, and for how much each. Without a price it is 0.00. Repeat it for more items.",
      valueName: "product:quantity[:price]"), transform: Self.item)
  var items: [ItemArgument]

  @Option(
    help: ArgumentHelp(
      """
      Sent as Idempotency-Key: 1 to 255 visible characters. Within 24 hours the same order with the same key is placed \
      once; again, it is answered as it was the first time.
      """, valueName: "key"))
  var idempotencyKey: String?

  @Flag(help: "Follows the order until its last mail, and prints each step as it happens.")
  var wait = false

  @Option(help: ArgumentHelp("With --wait: how long to wait.", valueName: "seconds"))
  var timeout = 60

  @Flag(help: "Prints JSON: the order, or with --wait an object of order, reservation, emails and steps.")
  var json = false

  @OptionGroup var stackOptions: StackOptions

  func validate() throws {
    guard !items.isEmpty else { throw ValidationError("at least one --item is needed") }
    guard (1...86_400).contains(timeout) else { throw ValidationError("--timeout has to be from 1 to 86400 seconds") }
    if let key = idempotencyKey {
      let isVisible = key.utf8.allSatisfy { (UInt8(ascii: "!")...UInt8(ascii: "~")).contains($0) }
      guard isVisible, (1...255).contains(key.utf8.count) else {
        throw ValidationError("--idempotency-key has to have 1 to 255 visible characters")
      }
    }
  }

  func run() async throws {
    let services = try stackOptions.stack().clients
    let start = ContinuousClock.now
    let steps = OrderSteps(start: start, output: json ? nil : .standard)
    let answer = try await services.order.send(
      "POST", "/orders", headers: idempotencyKey.map { [("Idempotency-Key", $0)] } ?? [],
      body: OrderRequest(customer: customer, items: items).jsonBytes)
    guard answer.isSuccess else { throw Failure("the order was refused: \(answer.problem)") }
    guard let order = (try? JSONValue(parsing: answer.body))?.object, let id = order["order_id"]?.string else {
      throw Failure("OrderService accepted the order without telling its id")
    }
    let total = order["total"]?.number?.text ?? "?"
    steps.happened(answer.isReplayed ? "known" : "accepted", "order \(id), total \(total)", .green)
    guard wait else {
      if json { Output.standard.line(bytes: answer.body) }
      return
    }
    let follow = FollowOrder(services: services, orderID: id, steps: steps, timeout: .seconds(timeout))
    let end = try await follow()
    if json { Output.standard.line(bytes: FollowedOrder(end: end, steps: steps.all).jsonBytes) }
    guard end.isConfirmed else { throw ExitCode.failure }
  }

  @Sendable private static func customer(_ text: String) throws -> CustomerID {
    guard let customer = CustomerID(text) else {
      throw ValidationError("'\(text.printable)' is not an id: 1 to 64 of A-Z a-z 0-9 . _ -")
    }
    return customer
  }

  @Sendable private static func item(_ text: String) throws -> ItemArgument {
    do {
      return try ItemArgument(text)
    } catch {
      throw ValidationError(error.description)
    }
  }
}

/// An order's end and the way to it.
private struct FollowedOrder: JSONEncodable {
  var end: FollowOrder.End
  var steps: [OrderStep]

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("order", end.order)
      json.member("reservation", end.reservation)
      json.member("emails", end.mails)
      json.member("steps", steps)
    }
  }
}

import EventSchema
import Messaging
import ServiceDefaults
import TestSupport

/// What others write to our topics.
extension Simulation {
  /// The header of a record that has to become a dead letter in each group that reads it.
  static let hopeless = Header("simulation", "hopeless")
  /// The header of a record that has to come to nothing.
  static let harmless = Header("simulation", "harmless")
  /// Begins the id of each order that OrderService never had.
  static let foreignPrefix = "foreign-"

  func throwGarbage() {
    strangers += 1
    let topic = [Topics.orders, Topics.inventory].randomElement(using: &random) ?? Topics.orders
    let number = strangers
    let garbage: [(what: String, value: [UInt8]?, header: Header)] = [
      ("no value", nil, Self.hopeless),
      ("an empty value", [], Self.hopeless),
      ("no UTF-8", [0xFF, 0xFE, UInt8(number & 0xFF)], Self.hopeless),
      ("no JSON", Array("order \(number), please".utf8), Self.hopeless),
      ("brackets", Array(repeating: UInt8(ascii: "["), count: 1_000), Self.hopeless),
      ("a tutorial's order", Array(#"{"order_id":"foreign-t\#(number)","amount":1e99}"#.utf8), Self.hopeless),
      ("an unknown schema version", Array(Self.ofLaterVersion(number).utf8), Self.hopeless),
      ("an unknown event type", Array(#"{"event_type":"ORDER_FRAMED","number":\#(number)}"#.utf8), Self.harmless),
    ]
    guard let thing = garbage.randomElement(using: &random) else { return }
    let key: [UInt8]? = Bool.random(using: &random) ? nil : Array("foreign-k\(number)".utf8)
    note("somebody writes \(thing.what) to \(topic)")
    let headers = [thing.header, Header(name: "binary", value: [0, 255]), Header(name: "binary", value: nil)]
    produce(OutgoingMessage(topic: topic, key: key, value: thing.value, headers: headers))
  }

  private static func ofLaterVersion(_ number: Int) -> String {
    #"{"event_id":"foreign-e\#(number)","event_type":"ORDER_CREATED","schema_version":99,"#
      + #""order_id":"foreign-o\#(number)","order_version":1}"#
  }

  /// An order that was placed elsewhere is reserved, and nobody here knows what to do with the answer.
  func foreignOrder() throws {
    strangers += 1
    let id = try identifier(OrderID("\(Self.foreignPrefix)\(strangers)"))
    let items = [
      OrderItem(
        productID: try identifier(ProductID(Shop.plenty)), quantity: 1, unitPrice: Money(minorUnits: 100))
    ]
    let customer = try identifier(CustomerID("somebody"))
    let total = Money(minorUnits: 100)
    let created = EventPayload.orderCreated(OrderCreated(customerID: customer, items: items, total: total))
    let cancelled = EventPayload.orderCancelled(
      OrderCancelled(customerID: customer, items: items, total: total, reason: "elsewhere"))
    switch Int.random(in: 0..<4, using: &random) {
    case 0:
      note("an order from elsewhere, and its cancellation twice and in the wrong order")
      for (version, payload) in [(2, cancelled), (1, created), (2, cancelled)] { try tell(id, Int64(version), payload) }
    case 1:
      note("a cancellation from elsewhere whose order never comes")
      try tell(id, 2, cancelled)
    case 2:
      note("a reservation for an order from elsewhere")
      let reservation = try identifier(ReservationID("foreign-r\(strangers)"))
      let reserved = items.map { ReservedItem(productID: $0.productID, quantity: $0.quantity) }
      try tell(id, 1, .inventoryReserved(InventoryReserved(reservationID: reservation, items: reserved)))
    default:
      note("an order from elsewhere")
      try tell(id, 1, created)
    }
  }

  private func tell(_ id: OrderID, _ version: Int64, _ payload: EventPayload) throws {
    let eventID = try identifier(EventID("\(id)-v\(version)"))
    let event = Event(
      envelope: EventEnvelope(
        eventID: eventID, orderID: id, orderVersion: version, timestamp: clock.clocks.wall()),
      payload: payload)
    produce(OutboxMessage(event: event, source: "/elsewhere").message)
  }
}

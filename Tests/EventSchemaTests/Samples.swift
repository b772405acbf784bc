import EventSchema
import Foundation
import Testing
import WireFormat

/// One event of each type, the same facts as in the golden files.
enum Samples {
  static func all() throws -> [Event] {
    [
      try event(1, version: 1, .orderCreated(OrderCreated(customerID: customer(), items: items(), total: total))),
      try event(2, version: 2, .orderConfirmed(OrderConfirmed(customerID: customer(), items: items(), total: total))),
      try event(
        3, version: 2,
        .orderRejected(OrderRejected(customerID: customer(), items: items(), total: total, reason: "OUT_OF_STOCK"))),
      try event(
        4, version: 3,
        .orderCancelled(
          OrderCancelled(customerID: customer(), items: items(), total: total, reason: "Doch nicht: \"zu teuer\" – 😀"))),
      try event(
        5, version: 1,
        .inventoryReserved(InventoryReserved(reservationID: reservation(), items: reservedItems()))),
      try event(
        6, version: 1,
        .inventoryRejected(
          InventoryRejected(
            reason: .outOfStock,
            shortages: [
              Shortage(productID: try product("keyboard"), requested: 2, available: 1),
              Shortage(productID: try product("usb-c_cable.2m"), requested: 10_000, available: 0),
            ]))),
      try event(
        7, version: 3,
        .inventoryReleased(
          InventoryReleased(reservationID: reservation(), items: reservedItems(), reason: "ORDER_CANCELLED"))),
    ]
  }

  static func sample(of type: EventType) throws -> Event {
    try #require(try all().first { $0.type == type })
  }

  /// What is written today, where it is not `<TYPE>.v<schema version>`: an event that has got a field since.
  private static let newest: [EventType: String] = [:]

  /// Every golden file there is, by name: what was ever written.
  static func goldenNames() throws -> [String] {
    let folder = try #require(Bundle.module.url(forResource: "Golden", withExtension: nil))
    return try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { $0.hasSuffix(".json") }.map { String($0.dropLast(".json".count)) }.sorted()
  }

  /// The golden file of what is written today.
  static func golden(_ type: EventType) throws -> [UInt8] {
    try golden(named: newest[type] ?? "\(type.rawValue).v\(type.schemaVersion)")
  }

  /// The bytes of a golden file, without the newline at its end.
  static func golden(named name: String) throws -> [UInt8] {
    let url = try #require(Bundle.module.url(forResource: name, withExtension: "json", subdirectory: "Golden"))
    var bytes = [UInt8](try Data(contentsOf: url))
    #expect(bytes.popLast() == UInt8(ascii: "\n"))
    return bytes
  }

  static let total = Money(minorUnits: 59_980)

  private static func event(_ number: Int, version: Int64, _ payload: EventPayload) throws -> Event {
    Event(
      envelope: EventEnvelope(
        eventID: try #require(EventID("019aad8c-3f11-7000-8000-00000000000\(number)")),
        orderID: try #require(OrderID("019aad8c-3f10-7a2b-8c3d-0123456789ab")), orderVersion: version,
        timestamp: Timestamp(millisecondsSinceEpoch: 1_795_378_867_123)),
      payload: payload)
  }

  private static func items() throws -> [OrderItem] {
    [
      OrderItem(productID: try product("keyboard"), quantity: 2, unitPrice: Money(minorUnits: 4990)),
      OrderItem(productID: try product("usb-c_cable.2m"), quantity: 10_000, unitPrice: Money(minorUnits: 5)),
    ]
  }

  private static func reservedItems() throws -> [ReservedItem] {
    try items().map { ReservedItem(productID: $0.productID, quantity: $0.quantity) }
  }

  private static func customer() throws -> CustomerID { try #require(CustomerID("customer-42")) }

  private static func reservation() throws -> ReservationID {
    try #require(ReservationID("019aad8c-4000-7000-9000-00000000000a"))
  }

  private static func product(_ text: String) throws -> ProductID { try #require(ProductID(text)) }
}

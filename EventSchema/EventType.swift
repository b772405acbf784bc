import WireFormat

/// The kinds of events, by their names on the wire.
public enum EventType: String, Sendable, Hashable, CaseIterable {
  case orderCreated = "ORDER_CREATED"
  case orderConfirmed = "ORDER_CONFIRMED"
  case orderRejected = "ORDER_REJECTED"
  case orderCancelled = "ORDER_CANCELLED"
  case inventoryReserved = "INVENTORY_RESERVED"
  case inventoryRejected = "INVENTORY_REJECTED"
  case inventoryReleased = "INVENTORY_RELEASED"

  /// The topic that carries events of this type.
  public var topic: String {
    switch self {
    case .orderCreated, .orderConfirmed, .orderRejected, .orderCancelled: Topics.orders
    case .inventoryReserved, .inventoryRejected, .inventoryReleased: Topics.inventory
    }
  }

  /// The version that is written, the only one there is so far. A version once written is read for ever.
  public var schemaVersion: Int { 1 }
}

extension EventType: JSONEncodable {
  /// Writes the name on the wire.
  public func write(to json: inout JSONWriter) { json.string(rawValue) }
}

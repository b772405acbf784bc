import WireFormat

/// The facts of an event.
public enum EventPayload: Sendable, Hashable {
  case orderCreated(OrderCreated)
  case orderConfirmed(OrderConfirmed)
  case orderRejected(OrderRejected)
  case orderCancelled(OrderCancelled)
  case inventoryReserved(InventoryReserved)
  case inventoryRejected(InventoryRejected)
  case inventoryReleased(InventoryReleased)

  /// The kind of event that has such facts.
  public var type: EventType {
    switch self {
    case .orderCreated: .orderCreated
    case .orderConfirmed: .orderConfirmed
    case .orderRejected: .orderRejected
    case .orderCancelled: .orderCancelled
    case .inventoryReserved: .inventoryReserved
    case .inventoryRejected: .inventoryRejected
    case .inventoryReleased: .inventoryReleased
    }
  }

  func writeMembers(to json: inout JSONWriter) {
    switch self {
    case .orderCreated(let facts): facts.writeMembers(to: &json)
    case .orderConfirmed(let facts): facts.writeMembers(to: &json)
    case .orderRejected(let facts): facts.writeMembers(to: &json)
    case .orderCancelled(let facts): facts.writeMembers(to: &json)
    case .inventoryReserved(let facts): facts.writeMembers(to: &json)
    case .inventoryRejected(let facts): facts.writeMembers(to: &json)
    case .inventoryReleased(let facts): facts.writeMembers(to: &json)
    }
  }

  init(_ type: EventType, from fields: FieldReader) throws(UnreadableField) {
    switch type {
    case .orderCreated: self = .orderCreated(try OrderCreated(from: fields))
    case .orderConfirmed: self = .orderConfirmed(try OrderConfirmed(from: fields))
    case .orderRejected: self = .orderRejected(try OrderRejected(from: fields))
    case .orderCancelled: self = .orderCancelled(try OrderCancelled(from: fields))
    case .inventoryReserved: self = .inventoryReserved(try InventoryReserved(from: fields))
    case .inventoryRejected: self = .inventoryRejected(try InventoryRejected(from: fields))
    case .inventoryReleased: self = .inventoryReleased(try InventoryReleased(from: fields))
    }
  }
}

/// The members of an event that are its own, between the envelope's.
protocol EventFacts {
  func writeMembers(to json: inout JSONWriter)
  init(from fields: FieldReader) throws(UnreadableField)
}

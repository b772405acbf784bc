import WireFormat

/// What every event says beside its facts.
public struct EventEnvelope: Sendable, Hashable {
  /// The same in every copy of the event.
  public var eventID: EventID
  /// The order that the event is about; also the key of its record.
  public var orderID: OrderID
  /// On `orders` the event's number in its order's history: 1, 2, 3 ... without a gap.
  /// On `inventory` the number of the event that is answered.
  public var orderVersion: Int64
  /// When the fact became true, by the clock of the service that states it.
  public var timestamp: Timestamp

  /// What an order version may be.
  public static let orderVersionRange: ClosedRange<Int64> = 1...Int64.max

  /// All of it is given; nothing is made up here.
  public init(eventID: EventID, orderID: OrderID, orderVersion: Int64, timestamp: Timestamp) {
    self.eventID = eventID
    self.orderID = orderID
    self.orderVersion = orderVersion
    self.timestamp = timestamp
  }
}

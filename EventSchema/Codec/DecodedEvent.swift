/// What a reader makes of a record.
public enum DecodedEvent: Sendable, Hashable {
  /// An event of a type that is known, complete and within all bounds.
  case event(Event)

  /// An event of a type that is unknown here; it has no effect. Each field is nil where it cannot be read.
  /// Without a key that equals its order id it has no version, so that it cannot move another order's cursor.
  case unknownType(String, eventID: EventID?, orderID: OrderID?, orderVersion: Int64?)

  /// No event: reading it again will not help. The reason names the field; the rest is what could be read.
  case unreadable(reason: String, eventType: String?, eventID: EventID?, orderID: OrderID?, orderVersion: Int64?)
}

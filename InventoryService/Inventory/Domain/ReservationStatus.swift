import WireFormat

/// Where a reservation stands. It begins ``reserved`` or ``rejected``; only ``reserved`` moves, once, to ``released``.
public enum ReservationStatus: String, Sendable, Hashable, CaseIterable, JSONEncodable {
  /// Every item of the order is set aside for it.
  case reserved = "RESERVED"
  /// At least one item could not be had; nothing is set aside.
  case rejected = "REJECTED"
  /// What was set aside was given back.
  case released = "RELEASED"

  public func write(to json: inout JSONWriter) {
    json.value(rawValue)
  }
}

import WireFormat

/// What was held for an order is available again.
public struct InventoryReleased: Sendable, Hashable {
  /// The reservation of the order; the same from reserving to releasing.
  public var reservationID: ReservationID
  /// What was given back: 1 to 100 items, no product twice.
  public var items: [ReservedItem]
  /// Why; up to 500 characters.
  public var reason: String

  /// Facts as given; bounds are checked where they are read.
  public init(reservationID: ReservationID, items: [ReservedItem], reason: String) {
    self.reservationID = reservationID
    self.items = items
    self.reason = reason
  }
}

extension InventoryReleased: EventFacts {
  func writeMembers(to json: inout JSONWriter) {
    json.member("reservation_id", reservationID)
    json.member("items", items)
    json.member("reason", reason)
  }

  init(from fields: FieldReader) throws(UnreadableField) {
    reservationID = try fields.identifier("reservation_id")
    items = try fields.reservedItems()
    reason = try fields.reason()
  }
}

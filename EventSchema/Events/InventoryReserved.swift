import WireFormat

/// All items of an order are held for it.
public struct InventoryReserved: Sendable, Hashable {
  /// The reservation of the order; the same from reserving to releasing.
  public var reservationID: ReservationID
  /// 1 to 100 items, no product twice.
  public var items: [ReservedItem]

  /// Facts as given; bounds are checked where they are read.
  public init(reservationID: ReservationID, items: [ReservedItem]) {
    self.reservationID = reservationID
    self.items = items
  }
}

extension InventoryReserved: EventFacts {
  func writeMembers(to json: inout JSONWriter) {
    json.member("reservation_id", reservationID)
    json.member("items", items)
  }

  init(from fields: FieldReader) throws(UnreadableField) {
    reservationID = try fields.identifier("reservation_id")
    items = try fields.reservedItems()
  }
}

import EventSchema

extension Reservation {
  /// The fact that this reservation tells the world.
  ///
  /// - Parameters:
  ///   - version: the `order_version` of the event that is answered.
  ///   - refusal: what stood in the way, where the reservation was rejected.
  func event(id eventID: EventID, answering version: Int64, refusal: Refusal? = nil) -> Event {
    Event(
      envelope: EventEnvelope(eventID: eventID, orderID: orderID, orderVersion: version, timestamp: updatedAt),
      payload: payload(refusal))
  }

  private func payload(_ refusal: Refusal?) -> EventPayload {
    switch status {
    case .reserved:
      .inventoryReserved(InventoryReserved(reservationID: id, items: items))
    case .rejected:
      .inventoryRejected(
        InventoryRejected(reason: refusal?.reason ?? .outOfStock, shortages: refusal?.shortages ?? []))
    case .released:
      .inventoryReleased(InventoryReleased(reservationID: id, items: items, reason: reason ?? ""))
    }
  }
}

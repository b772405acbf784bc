import EventSchema
import MessagingSQLite
import WireFormat

/// A row of `reservations`, with the columns in the order of ``columns``.
struct ReservationRow {
  static let columns = "sequence, reservation_id, order_id, status, items, reason, created_at, updated_at"

  let sequence: Int64
  let reservation: Reservation

  init(_ row: SQLiteRow) throws(DamagedRow) {
    sequence = row.integer(0)
    guard let id = ReservationID(row.text(1)), let orderID = OrderID(row.text(2)),
      let status = ReservationStatus(rawValue: row.text(3)), let items = StoredItems.decode(row.text(4))
    else { throw DamagedRow(table: "reservations", key: String(sequence)) }

    reservation = Reservation(
      id: id, orderID: orderID, items: items, status: status, reason: row.textIfAny(5),
      createdAt: Timestamp(millisecondsSinceEpoch: row.integer(6)),
      updatedAt: Timestamp(millisecondsSinceEpoch: row.integer(7)))
  }
}

import EventSchema
import GRDB
import WireFormat

/// A row of `reservations`, with the columns in the order of ``columns``.
struct ReservationRow {
  static let columns = "sequence, reservation_id, order_id, status, items, reason, created_at, updated_at"

  let sequence: Int64
  let reservation: Reservation

  /// Reads `row` without copying it; it need not outlive the cursor's step.
  init(_ row: Row) throws(DamagedRow) {
    let sequence: Int64 = row[0]
    let status: String = row[3]
    let items: String = row[4]
    guard let id = ReservationID(row[1] as String), let orderID = OrderID(row[2] as String),
      let status = ReservationStatus(rawValue: status), let items = StoredItems.decode(items)
    else { throw DamagedRow(table: "reservations", key: String(sequence)) }

    self.sequence = sequence
    self.reservation = Reservation(
      id: id, orderID: orderID, items: items, status: status, reason: row[5],
      createdAt: Timestamp(millisecondsSinceEpoch: row[6]), updatedAt: Timestamp(millisecondsSinceEpoch: row[7]))
  }
}

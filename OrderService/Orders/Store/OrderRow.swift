import EventSchema
import MessagingSQLite
import ServiceDefaults
import WireFormat

/// A row of `orders`, with the columns in the order of ``columns``.
struct OrderRow {
  static let columns =
    "sequence, order_id, customer_id, status, version, total, items, reason, created_at, updated_at"

  let sequence: Int64
  let order: Order

  init(_ row: SQLiteRow) throws(DamagedOrderRow) {
    sequence = row.integer(0)
    guard let id = OrderID(row.text(1)), let customerID = CustomerID(row.text(2)),
      let status = OrderStatus(rawValue: row.text(3)), let items = StoredOrderItems.decode(row.text(6))
    else { throw DamagedOrderRow(sequence: sequence) }

    order = Order(
      id: id, customerID: customerID, items: items, total: Money(minorUnits: row.integer(5)), status: status,
      version: row.integer(4), reason: row.textIfAny(7),
      createdAt: Timestamp(millisecondsSinceEpoch: row.integer(8)),
      updatedAt: Timestamp(millisecondsSinceEpoch: row.integer(9)))
  }
}

/// A row that this service cannot have written: the file was changed by somebody else. Trying again does not help.
struct DamagedOrderRow: Error, CustomStringConvertible {
  let sequence: Int64

  var description: String { "row \(sequence) of orders cannot be read" }
}

import EventSchema
import GRDB
import ServiceDefaults
import WireFormat

/// A row of `orders`, with the columns in the order of ``columns``.
struct OrderRow {
  static let columns =
    "sequence, order_id, customer_id, status, version, total, items, reason, created_at, updated_at"

  let sequence: Int64
  let order: Order

  /// Reads `row` without copying it; it need not outlive the cursor's step.
  init(_ row: Row) throws(DamagedOrderRow) {
    let sequence: Int64 = row[0]
    let status: String = row[3]
    let items: String = row[6]
    guard let id = OrderID(row[1] as String), let customerID = CustomerID(row[2] as String),
      let status = OrderStatus(rawValue: status), let items = StoredOrderItems.decode(items)
    else { throw DamagedOrderRow(sequence: sequence) }

    self.sequence = sequence
    self.order = Order(
      id: id, customerID: customerID, items: items, total: Money(minorUnits: row[5]), status: status,
      version: row[4], reason: row[7], createdAt: Timestamp(millisecondsSinceEpoch: row[8]),
      updatedAt: Timestamp(millisecondsSinceEpoch: row[9]))
  }
}

/// A row that this service cannot have written: the file was changed by somebody else. Trying again does not help.
struct DamagedOrderRow: Error, CustomStringConvertible {
  let sequence: Int64

  var description: String { "row \(sequence) of orders cannot be read" }
}

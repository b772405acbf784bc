import EventSchema
import GRDB
import ServiceDefaults
import WireFormat

/// A row of `emails`, with the columns in the order of ``columns``.
struct MailRow {
  static let columns = """
    sequence, email_id, event_id, order_id, customer_id, kind, items, total, reason, template_version, status, \
    attempts, created_at, sent_at, error
    """

  let sequence: Int64
  let mail: Mail

  /// Reads `row` without copying it; it need not outlive the cursor's step.
  init(_ row: Row) throws(DamagedMailRow) {
    let sequence: Int64 = row[0]
    let sentAt: Int64? = row[13]
    guard let eventID = EventID(row[2] as String), let orderID = OrderID(row[3] as String),
      let customerID = CustomerID(row[4] as String), let kind = MailKind(rawValue: row[5]),
      let items = StoredOrderItems.decode(row[6]), let status = MailDelivery.Status(rawValue: row[10])
    else { throw DamagedMailRow(sequence: sequence) }

    self.sequence = sequence
    self.mail = Mail(
      id: MailID(row[1]), eventID: eventID, orderID: orderID, customerID: customerID, kind: kind, items: items,
      total: Money(minorUnits: row[7]), reason: row[8], templateVersion: row[9],
      delivery: MailDelivery(
        status: status, attempts: row[11], sentAt: sentAt.map(Timestamp.init(millisecondsSinceEpoch:)), error: row[14]),
      createdAt: Timestamp(millisecondsSinceEpoch: row[12]))
  }
}

/// A row that this service cannot have written: the file was changed by somebody else. Trying again does not help.
struct DamagedMailRow: Error, Sendable, CustomStringConvertible {
  let sequence: Int64

  var description: String { "row \(sequence) of emails cannot be read" }
}

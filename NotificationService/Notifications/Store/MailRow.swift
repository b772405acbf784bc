import EventSchema
import MessagingSQLite
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

  init(_ row: SQLiteRow) throws(DamagedMailRow) {
    sequence = row.integer(0)
    guard let eventID = EventID(row.text(2)), let orderID = OrderID(row.text(3)),
      let customerID = CustomerID(row.text(4)), let kind = MailKind(rawValue: row.text(5)),
      let items = StoredOrderItems.decode(row.text(6)), let status = MailDelivery.Status(rawValue: row.text(10))
    else { throw DamagedMailRow(sequence: sequence) }

    mail = Mail(
      id: MailID(row.text(1)), eventID: eventID, orderID: orderID, customerID: customerID, kind: kind, items: items,
      total: Money(minorUnits: row.integer(7)), reason: row.textIfAny(8), templateVersion: Int(row.integer(9)),
      delivery: MailDelivery(
        status: status, attempts: Int(row.integer(11)),
        sentAt: row.integerIfAny(13).map(Timestamp.init(millisecondsSinceEpoch:)), error: row.textIfAny(14)),
      createdAt: Timestamp(millisecondsSinceEpoch: row.integer(12)))
  }
}

/// A row that this service cannot have written: the file was changed by somebody else. Trying again does not help.
struct DamagedMailRow: Error, Sendable, CustomStringConvertible {
  let sequence: Int64

  var description: String { "row \(sequence) of emails cannot be read" }
}

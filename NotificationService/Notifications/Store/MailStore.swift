import EventSchema
import GRDB
import MessagingSQLite
import ServiceDefaults

/// The mailbox. Writes belong to the caller's transaction.
public struct MailStore: Sendable {
  public init() {}

  /// Writes a mail, unless its order has one of this kind.
  func insert(_ mail: Mail, in transaction: SQLiteTransaction) throws {
    try transaction.database.cachedStatement(sql: Self.insertion).execute(arguments: [
      mail.id.rawValue, mail.eventID.rawValue, mail.orderID.rawValue, mail.customerID.rawValue, mail.kind.rawValue,
      StoredOrderItems.encode(mail.items), mail.total.minorUnits, mail.reason, mail.templateVersion,
      mail.delivery.status.rawValue, mail.delivery.attempts, mail.createdAt.millisecondsSinceEpoch,
      mail.delivery.sentAt?.millisecondsSinceEpoch,
    ])
  }

  /// The mail as `database` sees it; nil where there is none.
  func find(_ id: String, in database: Database) throws -> Mail? {
    try database.firstRow(Self.selection, [id]) { try MailRow($0).mail }
  }

  private static let insertion = """
    INSERT INTO emails (
      email_id, event_id, order_id, customer_id, kind, items, total, reason, template_version, status, attempts,
      created_at, sent_at
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (order_id, kind) DO NOTHING
    """

  private static let selection = "SELECT \(MailRow.columns) FROM emails WHERE email_id = ?"
}

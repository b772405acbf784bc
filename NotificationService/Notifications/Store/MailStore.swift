import EventSchema
import GRDB
import MessagingSQLite
import ServiceDefaults

/// The mailbox. Writes belong to the caller's transaction.
public struct MailStore: Sendable {
  public init() {}

  /// Writes a mail, unless its order has one of this kind. One that is pending is due at once, or when the earlier mails
  /// of its order are sent or have failed.
  func insert(_ mail: Mail, in transaction: SQLiteTransaction) throws {
    try transaction.execute(
      Self.insertion, mail.id.rawValue, mail.eventID.rawValue, mail.orderID.rawValue, mail.customerID.rawValue,
      mail.kind.rawValue, StoredOrderItems.encode(mail.items), mail.total.minorUnits, mail.reason,
      mail.templateVersion, mail.delivery.status.rawValue, mail.delivery.attempts,
      mail.createdAt.millisecondsSinceEpoch, mail.delivery.sentAt?.millisecondsSinceEpoch,
      mail.delivery.status == .pending ? mail.createdAt.millisecondsSinceEpoch : nil)
  }

  /// The mail as `reader` sees it; nil where there is none.
  func find(_ id: String, in reader: some SQLiteReader) throws -> Mail? {
    try reader.first(Self.selection, id) { try MailRow($0).mail }
  }

  /// At most `limit` mails written after `sequence`, in the order in which they were written.
  func written(after sequence: Int64, limit: Int, in database: Database) throws -> [(sequence: Int64, mail: Mail)] {
    try database.keysetPage(Self.newer, [sequence, limit], limit: limit) { row in
      let read = try MailRow(row)
      return (read.sequence, (read.sequence, read.mail))
    }.elements
  }

  /// The sequence of the newest mail; 0 where there is none.
  func newest(in reader: some SQLiteReader) throws -> Int64 {
    try reader.first(Self.newest) { $0.integer(0) } ?? 0
  }

  static let newer = "SELECT \(MailRow.columns) FROM emails WHERE sequence > ? ORDER BY sequence LIMIT ?"

  private static let insertion = PreparedSQL(
    """
    INSERT INTO emails (
      email_id, event_id, order_id, customer_id, kind, items, total, reason, template_version, status, attempts,
      created_at, sent_at, due_at
    ) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,
      CASE
        WHEN ?14 IS NULL THEN NULL
        WHEN EXISTS (SELECT 1 FROM emails WHERE order_id = ?3 AND due_at IS NOT NULL) THEN \(MailQueue.behindAnother)
        ELSE ?14
      END)
    ON CONFLICT (order_id, kind) DO NOTHING
    """)

  private static let selection = PreparedSQL("SELECT \(MailRow.columns) FROM emails WHERE email_id = ?")
  private static let newest = PreparedSQL("SELECT max(sequence) FROM emails")
}

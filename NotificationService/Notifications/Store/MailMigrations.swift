import MessagingSQLite

/// The tables of the notification store.
public enum MailMigrations {
  public static let all: [SQLiteMigration] = [
    SQLiteMigration(
      name: "notifications-1-emails",
      // What a mail tells, not its words. Amounts are minor units; `items` is [["keyboard",2,4990],...]: product,
      // quantity, unit price. Rows are never deleted, so a rowid is never used twice.
      sql: """
        CREATE TABLE emails (
          sequence INTEGER PRIMARY KEY,
          email_id TEXT NOT NULL UNIQUE,
          event_id TEXT NOT NULL,
          order_id TEXT NOT NULL,
          customer_id TEXT NOT NULL,
          kind TEXT NOT NULL,
          items TEXT NOT NULL,
          total INTEGER NOT NULL,
          reason TEXT,
          template_version INTEGER NOT NULL,
          status TEXT NOT NULL,
          attempts INTEGER NOT NULL,
          created_at INTEGER NOT NULL,
          sent_at INTEGER,
          UNIQUE (order_id, kind)
        ) STRICT
        """),
    SQLiteMigration(
      name: "notifications-2-list-filters",
      // Ends with the row's sequence, as every SQLite index does: a page of a customer's mails is a range of it.
      sql: "CREATE INDEX emails_by_customer ON emails (customer_id)"),
    SQLiteMigration(
      name: "notifications-3-delivery",
      // `due_at` is when a mailer may take up a mail (PENDING) or take it from another (SENDING), and NULL for a mail
      // that is sent or failed; so the index has only mails on their way. `claimed_by` is who has it in hand.
      sql: """
        ALTER TABLE emails ADD COLUMN error TEXT;
        ALTER TABLE emails ADD COLUMN due_at INTEGER;
        ALTER TABLE emails ADD COLUMN claimed_by TEXT;
        CREATE INDEX emails_on_their_way ON emails (status, due_at) WHERE due_at IS NOT NULL
        """),
    MessagingMigrations.withoutEventsByKey,
  ]
}

import MessagingSQLite

/// The tables of the order store.
public enum OrderMigrations {
  public static let all: [SQLiteMigration] = [
    SQLiteMigration(
      name: "orders-1-table",
      // Amounts are minor units. `items` is [["keyboard",2,4990],...]: product, quantity, unit price. Items are always
      // read whole, and one row is several times cheaper to insert than one with children.
      sql: """
        CREATE TABLE orders (
          sequence INTEGER PRIMARY KEY AUTOINCREMENT,
          order_id TEXT NOT NULL UNIQUE,
          customer_id TEXT NOT NULL,
          status TEXT NOT NULL,
          version INTEGER NOT NULL,
          total INTEGER NOT NULL,
          items TEXT NOT NULL,
          reason TEXT,
          created_at INTEGER NOT NULL,
          updated_at INTEGER NOT NULL
        ) STRICT
        """),
    SQLiteMigration(
      name: "orders-2-list-filters",
      // Each index ends with the row's sequence, as every SQLite index does, so a page is a range of it.
      sql: """
        CREATE INDEX orders_by_status ON orders (status);
        CREATE INDEX orders_by_customer ON orders (customer_id, status);
        """),
    SQLiteMigration(
      name: "orders-3-idempotency-keys",
      sql: """
        CREATE TABLE idempotency_keys (
          requester TEXT NOT NULL,
          idempotency_key TEXT NOT NULL,
          order_id TEXT NOT NULL,
          created_at INTEGER NOT NULL,
          answer BLOB NOT NULL,
          PRIMARY KEY (requester, idempotency_key)
        ) STRICT;
        CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
        """),
    SQLiteMigration(
      name: "orders-4-customers-by-status",
      // The index of all customers is large, and an order's place in it is anywhere: each change there is a page to
      // write. With an index for each status, the pending orders have a small one of their own, and an order that is
      // settled comes to the large one once, instead of being put there, taken out and put there again.
      sql: """
        DROP INDEX orders_by_customer;
        CREATE INDEX orders_pending_by_customer ON orders (customer_id) WHERE status = 'PENDING';
        CREATE INDEX orders_confirmed_by_customer ON orders (customer_id) WHERE status = 'CONFIRMED';
        CREATE INDEX orders_rejected_by_customer ON orders (customer_id) WHERE status = 'REJECTED';
        CREATE INDEX orders_cancelled_by_customer ON orders (customer_id) WHERE status = 'CANCELLED';
        """),
  ]
}

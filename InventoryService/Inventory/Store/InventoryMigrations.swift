import MessagingSQLite

/// The tables of the inventory store.
public enum InventoryMigrations {
  public static let all: [SQLiteMigration] = [
    SQLiteMigration(
      name: "inventory-1-products",
      // The last line is what no bug may ever break: nobody is promised a piece that is not there.
      sql: """
        CREATE TABLE products (
          product_id TEXT NOT NULL PRIMARY KEY,
          name TEXT NOT NULL,
          on_hand INTEGER NOT NULL CHECK (on_hand >= 0),
          reserved INTEGER NOT NULL DEFAULT 0 CHECK (reserved >= 0),
          CHECK (on_hand - reserved >= 0)
        ) STRICT, WITHOUT ROWID
        """),
    SQLiteMigration(
      name: "inventory-2-reservations",
      // `items` is [["keyboard",2],...]: product, quantity, in the order's own order; a list reads no second table.
      // Rows are never deleted, so a rowid is never used twice.
      sql: """
        CREATE TABLE reservations (
          sequence INTEGER PRIMARY KEY,
          reservation_id TEXT NOT NULL,
          order_id TEXT NOT NULL UNIQUE,
          status TEXT NOT NULL CHECK (status IN ('RESERVED', 'REJECTED', 'RELEASED')),
          items TEXT NOT NULL,
          reason TEXT,
          created_at INTEGER NOT NULL,
          updated_at INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX reservations_by_status ON reservations (status);
        """),
    SQLiteMigration(
      name: "inventory-3-reservation-items",
      // One row an item, in the order of its key: a product's reservations are a range of it, newest last, with a
      // status and without; and what is reserved of a product is the sum over one range.
      sql: """
        CREATE TABLE reservation_items (
          product_id TEXT NOT NULL,
          status TEXT NOT NULL,
          sequence INTEGER NOT NULL REFERENCES reservations (sequence),
          quantity INTEGER NOT NULL CHECK (quantity > 0),
          PRIMARY KEY (product_id, status, sequence)
        ) STRICT, WITHOUT ROWID
        """),
    SQLiteMigration(
      name: "inventory-4-tombstones",
      // Kept as long as reservations are: for ever. There is one only where a cancellation overtook its order.
      sql: """
        CREATE TABLE reservation_tombstones (
          order_id TEXT NOT NULL PRIMARY KEY,
          reason TEXT NOT NULL,
          cancelled_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID
        """),
    SQLiteMigration(
      name: "inventory-5-cheaper-check",
      // The same tables with another CHECK: for `IN` and more than two values SQLite (3.40) builds a temporary b-tree for
      // each row that is inserted. The items go along, since they refer to the table.
      sql: """
        ALTER TABLE reservations RENAME TO reservations_before;
        CREATE TABLE reservations (
          sequence INTEGER PRIMARY KEY,
          reservation_id TEXT NOT NULL,
          order_id TEXT NOT NULL UNIQUE,
          status TEXT NOT NULL CHECK (status = 'RESERVED' OR status = 'REJECTED' OR status = 'RELEASED'),
          items TEXT NOT NULL,
          reason TEXT,
          created_at INTEGER NOT NULL,
          updated_at INTEGER NOT NULL
        ) STRICT;
        INSERT INTO reservations SELECT
          sequence, reservation_id, order_id, status, items, reason, created_at, updated_at
        FROM reservations_before ORDER BY sequence;
        CREATE TABLE reservation_items_5 (
          product_id TEXT NOT NULL,
          status TEXT NOT NULL,
          sequence INTEGER NOT NULL REFERENCES reservations (sequence),
          quantity INTEGER NOT NULL CHECK (quantity > 0),
          PRIMARY KEY (product_id, status, sequence)
        ) STRICT, WITHOUT ROWID;
        INSERT INTO reservation_items_5 SELECT product_id, status, sequence, quantity
        FROM reservation_items ORDER BY product_id, status, sequence;
        DROP TABLE reservation_items;
        ALTER TABLE reservation_items_5 RENAME TO reservation_items;
        DROP TABLE reservations_before;
        CREATE INDEX reservations_by_status ON reservations (status);
        """),
    MessagingMigrations.withoutEventsByKey,
  ]
}

"""One SQLite file a service, opened by its processes; written in synced transactions."""

import sqlite3
import threading
import time
from pathlib import Path

# The tables of our own services, column by column.
MESSAGING = """
CREATE TABLE IF NOT EXISTS outbox (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT, created_at INTEGER NOT NULL, published_at INTEGER,
  published_partition INTEGER, published_offset INTEGER, event_id TEXT NOT NULL, event_type TEXT NOT NULL,
  topic TEXT NOT NULL, message_key BLOB, headers BLOB NOT NULL, message_value BLOB) STRICT;
CREATE INDEX IF NOT EXISTS outbox_unpublished ON outbox (sequence) WHERE published_at IS NULL;
CREATE INDEX IF NOT EXISTS outbox_by_key ON outbox (message_key);
CREATE TABLE IF NOT EXISTS processed_events (
  consumer_group TEXT NOT NULL, event_id TEXT NOT NULL, outcome TEXT NOT NULL, event_type TEXT NOT NULL,
  event_key TEXT NOT NULL, version INTEGER, topic TEXT NOT NULL, partition INTEGER NOT NULL,
  record_offset INTEGER NOT NULL, processed_at INTEGER NOT NULL,
  PRIMARY KEY (consumer_group, event_id)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS key_cursors (
  consumer_group TEXT NOT NULL, event_key TEXT NOT NULL, version INTEGER NOT NULL,
  PRIMARY KEY (consumer_group, event_key)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS next_offsets (
  consumer_group TEXT NOT NULL, topic TEXT NOT NULL, partition INTEGER NOT NULL, next_offset INTEGER NOT NULL,
  PRIMARY KEY (consumer_group, topic, partition)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dead_letters (
  id INTEGER PRIMARY KEY, consumer_group TEXT NOT NULL, failed_at INTEGER NOT NULL, error TEXT NOT NULL,
  topic TEXT NOT NULL, partition INTEGER NOT NULL, record_offset INTEGER NOT NULL, message_key BLOB,
  message_value BLOB) STRICT;
"""

INSERT_OUTBOX = (
    "INSERT INTO outbox (created_at, event_id, event_type, topic, message_key, headers, message_value)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)

ORDERS = MESSAGING + """
CREATE TABLE IF NOT EXISTS orders (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT, order_id TEXT NOT NULL UNIQUE, customer_id TEXT NOT NULL,
  status TEXT NOT NULL, version INTEGER NOT NULL, total INTEGER NOT NULL, items BLOB NOT NULL, reason TEXT,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS processed_events_by_key ON processed_events (event_key);
CREATE INDEX IF NOT EXISTS orders_by_status ON orders (status);
CREATE INDEX IF NOT EXISTS orders_pending_by_customer ON orders (customer_id) WHERE status = 'PENDING';
CREATE INDEX IF NOT EXISTS orders_confirmed_by_customer ON orders (customer_id) WHERE status = 'CONFIRMED';
CREATE INDEX IF NOT EXISTS orders_rejected_by_customer ON orders (customer_id) WHERE status = 'REJECTED';
CREATE INDEX IF NOT EXISTS orders_cancelled_by_customer ON orders (customer_id) WHERE status = 'CANCELLED';
"""

INVENTORY = MESSAGING + """
CREATE TABLE IF NOT EXISTS products (
  product_id TEXT PRIMARY KEY, name TEXT NOT NULL, on_hand INTEGER NOT NULL,
  reserved INTEGER NOT NULL DEFAULT 0, CHECK (reserved >= 0 AND reserved <= on_hand)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS reservations (
  sequence INTEGER PRIMARY KEY, reservation_id TEXT NOT NULL, order_id TEXT NOT NULL UNIQUE, status TEXT NOT NULL,
  items BLOB NOT NULL, reason TEXT, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS reservations_by_status ON reservations (status);
CREATE TABLE IF NOT EXISTS reservation_items (
  product_id TEXT NOT NULL, status TEXT NOT NULL, sequence INTEGER NOT NULL, quantity INTEGER NOT NULL,
  PRIMARY KEY (product_id, status, sequence)) STRICT, WITHOUT ROWID;
"""

NOTIFICATIONS = MESSAGING + """
CREATE TABLE IF NOT EXISTS emails (
  sequence INTEGER PRIMARY KEY, email_id TEXT NOT NULL UNIQUE, event_id TEXT NOT NULL, order_id TEXT NOT NULL,
  customer_id TEXT NOT NULL, kind TEXT NOT NULL, items BLOB NOT NULL, total INTEGER NOT NULL, reason TEXT,
  status TEXT NOT NULL, created_at INTEGER NOT NULL, sent_at INTEGER, UNIQUE (order_id, kind)) STRICT;
CREATE INDEX IF NOT EXISTS emails_by_customer ON emails (customer_id);
"""


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def connect(path: Path, schema: str) -> sqlite3.Connection:
    """A connection in autocommit mode: transactions are begun and committed by hand."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=30, cached_statements=256, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA cache_size=-16384")
    connection.execute("PRAGMA wal_autocheckpoint=4000")
    connection.executescript(schema)
    return connection


class GroupCommit:
    """Puts all writes that wait into one transaction, on a thread of its own."""

    def __init__(self, connection: sqlite3.Connection, write_batch, after_commit):
        self._connection = connection
        self._write_batch = write_batch
        self._after_commit = after_commit
        self._waiting: list = []
        self._arrived = threading.Condition()
        threading.Thread(target=self._run, daemon=True).start()

    def submit(self, job) -> None:
        with self._arrived:
            self._waiting.append(job)
            if len(self._waiting) == 1:
                self._arrived.notify()

    def _run(self) -> None:
        while True:
            with self._arrived:
                while not self._waiting:
                    self._arrived.wait()
                batch, self._waiting = self._waiting, []
            error = None
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                self._write_batch(self._connection, batch)
                self._connection.execute("COMMIT")
            except Exception as problem:
                error = problem
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
            self._after_commit(batch, error)

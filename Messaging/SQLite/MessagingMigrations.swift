/// The tables that every store of a service has: outbox and inbox (contract, section 6). Put them before the service's own.
///
/// Moments are milliseconds since 1970. Keys, values and headers are the exact bytes; NULL and empty differ.
public enum MessagingMigrations {
  public static let all: [SQLiteMigration] = [
    SQLiteMigration(name: "messaging-1-outbox", sql: outbox),
    SQLiteMigration(name: "messaging-2-relay", sql: relay),
    SQLiteMigration(name: "messaging-3-processed-events", sql: processedEvents),
    SQLiteMigration(name: "messaging-4-parking", sql: parking),
    SQLiteMigration(name: "messaging-5-dead-letters", sql: deadLetters),
    SQLiteMigration(name: "messaging-6-next-offsets", sql: nextOffsets),
    SQLiteMigration(name: "messaging-7-redrives", sql: redrives),
    SQLiteMigration(name: "messaging-8-crashed-attempts", sql: crashedAttempts),
    SQLiteMigration(name: "messaging-9-cheaper-check", sql: cheaperCheck),
    SQLiteMigration(name: "messaging-10-epoch-steps", sql: epochSteps),
    SQLiteMigration(name: "messaging-11-publications", sql: publications),
  ]

  /// For the end of a service's own steps, where nobody asks what became of the events of a key
  /// (``SQLiteInbox/entries(ofKey:limit:)``): the index for it costs each event a tenth of its rows.
  public static let withoutEventsByKey = SQLiteMigration(
    name: "messaging-without-events-by-key", sql: "DROP INDEX processed_events_by_key")

  // Columns that are searched come before the large ones: SQLite reads a row from its front.
  // `dead_letter_id` is set where the row publishes a dead letter.
  private static let outbox = """
    CREATE TABLE outbox (
      sequence INTEGER PRIMARY KEY AUTOINCREMENT,
      created_at INTEGER NOT NULL,
      published_at INTEGER,
      published_partition INTEGER,
      published_offset INTEGER,
      publish_epoch INTEGER,
      dead_letter_id INTEGER,
      event_id TEXT NOT NULL,
      event_type TEXT NOT NULL,
      topic TEXT NOT NULL,
      message_key BLOB,
      headers BLOB NOT NULL,
      message_value BLOB
    ) STRICT;
    CREATE INDEX outbox_unpublished ON outbox (sequence) WHERE published_at IS NULL;
    CREATE INDEX outbox_by_key ON outbox (message_key);
    """

  // `holder_machine` tells in whose numbering `process_id` is one: two containers count for themselves.
  private static let relay = """
    CREATE TABLE relay_lease (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      token INTEGER NOT NULL,
      expires_at INTEGER NOT NULL,
      holder TEXT,
      holder_machine TEXT,
      process_id INTEGER,
      process_started_at INTEGER
    ) STRICT;
    INSERT INTO relay_lease (id, token, expires_at) VALUES (1, 0, 0);
    CREATE TABLE relay_state (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      cluster_id TEXT,
      publish_epoch INTEGER NOT NULL
    ) STRICT;
    INSERT INTO relay_state (id, publish_epoch) VALUES (1, 1);
    CREATE TABLE relay_partition_ends (
      topic TEXT NOT NULL,
      partition INTEGER NOT NULL,
      highest_offset INTEGER NOT NULL,
      PRIMARY KEY (topic, partition)
    ) STRICT, WITHOUT ROWID;
    """

  private static let processedEvents = """
    CREATE TABLE processed_events (
      consumer_group TEXT NOT NULL,
      event_id TEXT NOT NULL,
      outcome TEXT NOT NULL CHECK (outcome IN ('processed', 'parked', 'dead_lettered', 'discarded')),
      redrives INTEGER NOT NULL DEFAULT 0,
      event_type TEXT NOT NULL,
      event_key TEXT NOT NULL,
      version INTEGER,
      topic TEXT NOT NULL,
      partition INTEGER NOT NULL,
      record_offset INTEGER NOT NULL,
      attempts INTEGER NOT NULL,
      processed_at INTEGER NOT NULL,
      PRIMARY KEY (consumer_group, event_id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX processed_events_by_key ON processed_events (event_key);
    """

  private static let parking = """
    CREATE TABLE key_cursors (
      consumer_group TEXT NOT NULL,
      event_key TEXT NOT NULL,
      version INTEGER NOT NULL,
      PRIMARY KEY (consumer_group, event_key)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE parked_events (
      consumer_group TEXT NOT NULL,
      event_key TEXT NOT NULL,
      version INTEGER NOT NULL,
      event_id TEXT NOT NULL,
      event_type TEXT NOT NULL,
      parked_at INTEGER NOT NULL,
      topic TEXT NOT NULL,
      partition INTEGER NOT NULL,
      record_offset INTEGER NOT NULL,
      record_timestamp INTEGER,
      message_key BLOB,
      headers BLOB NOT NULL,
      message_value BLOB,
      PRIMARY KEY (consumer_group, event_key, version, event_id)
    ) STRICT, WITHOUT ROWID;
    """

  private static let deadLetters = """
    CREATE TABLE dead_letters (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      consumer_group TEXT NOT NULL,
      event_id TEXT NOT NULL,
      redrives INTEGER NOT NULL,
      status TEXT NOT NULL CHECK (status IN ('open', 'resolved', 'discarded')),
      failed_at INTEGER NOT NULL,
      resolved_at INTEGER,
      reason TEXT,
      error TEXT NOT NULL,
      attempts INTEGER NOT NULL,
      event_type TEXT,
      event_key TEXT,
      version INTEGER,
      topic TEXT NOT NULL,
      partition INTEGER NOT NULL,
      record_offset INTEGER NOT NULL,
      record_timestamp INTEGER,
      message_key BLOB,
      headers BLOB NOT NULL,
      message_value BLOB,
      UNIQUE (consumer_group, event_id, redrives)
    ) STRICT;
    CREATE INDEX dead_letters_by_status ON dead_letters (consumer_group, status);
    CREATE INDEX dead_letters_by_key ON dead_letters (event_key);
    """

  private static let nextOffsets = """
    CREATE TABLE next_offsets (
      consumer_group TEXT NOT NULL,
      cluster_id TEXT NOT NULL,
      topic TEXT NOT NULL,
      partition INTEGER NOT NULL,
      next_offset INTEGER NOT NULL,
      PRIMARY KEY (consumer_group, cluster_id, topic, partition)
    ) STRICT, WITHOUT ROWID;
    """

  // An event has one dead letter, which counts its redrives. `attempts`, `retry_at` and `error` are of a parked event
  // that has become the next of its key and failed.
  private static let redrives = """
    CREATE UNIQUE INDEX dead_letters_by_event ON dead_letters (consumer_group, event_id);
    ALTER TABLE parked_events ADD COLUMN is_discarded INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE parked_events ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE parked_events ADD COLUMN retry_at INTEGER;
    ALTER TABLE parked_events ADD COLUMN error TEXT;
    CREATE TABLE dead_letter_audit (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      consumer_group TEXT NOT NULL,
      at INTEGER NOT NULL,
      requester TEXT NOT NULL,
      reason TEXT,
      action TEXT NOT NULL CHECK (action IN ('redrive', 'discard', 'discard_gap')),
      outcome TEXT NOT NULL CHECK (outcome IN ('resolved', 'failed_again', 'discarded')),
      dead_letter_id INTEGER,
      event_key TEXT,
      detail TEXT
    ) STRICT;
    CREATE INDEX dead_letter_audit_by_dead_letter ON dead_letter_audit (dead_letter_id);
    """

  // One row per death of a process (`process` names it) while `subject` was at hand, so that a death that is found twice
  // counts once.
  private static let crashedAttempts = """
    CREATE TABLE crashed_attempts (
      consumer_group TEXT NOT NULL,
      subject TEXT NOT NULL,
      process TEXT NOT NULL,
      found_at INTEGER NOT NULL,
      PRIMARY KEY (consumer_group, subject, process)
    ) STRICT, WITHOUT ROWID;
    """

  // The same table with another CHECK. For `IN` and more than two values SQLite (3.40) builds a temporary b-tree for each
  // row that is inserted: 5.5 of 7.3 µs.
  private static let cheaperCheck = """
    CREATE TABLE processed_events_9 (
      consumer_group TEXT NOT NULL,
      event_id TEXT NOT NULL,
      outcome TEXT NOT NULL CHECK (
        outcome = 'processed' OR outcome = 'parked' OR outcome = 'dead_lettered' OR outcome = 'discarded'),
      redrives INTEGER NOT NULL DEFAULT 0,
      event_type TEXT NOT NULL,
      event_key TEXT NOT NULL,
      version INTEGER,
      topic TEXT NOT NULL,
      partition INTEGER NOT NULL,
      record_offset INTEGER NOT NULL,
      attempts INTEGER NOT NULL,
      processed_at INTEGER NOT NULL,
      PRIMARY KEY (consumer_group, event_id)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO processed_events_9 SELECT
      consumer_group, event_id, outcome, redrives, event_type, event_key, version, topic, partition, record_offset,
      attempts, processed_at
    FROM processed_events ORDER BY consumer_group, event_id;
    DROP TABLE processed_events;
    ALTER TABLE processed_events_9 RENAME TO processed_events;
    CREATE INDEX processed_events_by_key ON processed_events (event_key);
    """

  // Up to `epoch_ready_to` the rows of a new epoch are unpublished again; NULL where all of them are. Those that were
  // published before `epoch_cutoff` had outlived their retention when it began.
  private static let epochSteps = """
    ALTER TABLE relay_state ADD COLUMN epoch_ready_to INTEGER;
    ALTER TABLE relay_state ADD COLUMN epoch_cutoff INTEGER;
    """

  // A message is written once. That it waits, and later where it was published, are narrow rows of their own: every
  // message has either the one or the other. `outbox` shows them together to whoever looks into the file.
  // The numbers go on where they were: one that was purged is not used again.
  private static let publications = """
    CREATE TABLE outbox_messages (
      sequence INTEGER PRIMARY KEY AUTOINCREMENT,
      created_at INTEGER NOT NULL,
      dead_letter_id INTEGER,
      event_id TEXT NOT NULL,
      event_type TEXT NOT NULL,
      topic TEXT NOT NULL,
      message_key BLOB,
      headers BLOB NOT NULL,
      message_value BLOB
    ) STRICT;
    CREATE TABLE outbox_pending (
      sequence INTEGER PRIMARY KEY
    ) STRICT;
    CREATE TABLE outbox_publications (
      sequence INTEGER PRIMARY KEY,
      published_at INTEGER NOT NULL,
      published_partition INTEGER NOT NULL,
      published_offset INTEGER,
      publish_epoch INTEGER NOT NULL
    ) STRICT;
    INSERT INTO outbox_messages SELECT
      sequence, created_at, dead_letter_id, event_id, event_type, topic, message_key, headers, message_value
    FROM outbox ORDER BY sequence;
    INSERT INTO outbox_pending SELECT sequence FROM outbox WHERE published_at IS NULL ORDER BY sequence;
    INSERT INTO outbox_publications SELECT
      sequence, published_at, coalesce(published_partition, 0), published_offset, coalesce(publish_epoch, 0)
    FROM outbox WHERE published_at IS NOT NULL ORDER BY sequence;
    DELETE FROM sqlite_sequence WHERE name = 'outbox_messages';
    INSERT INTO sqlite_sequence (name, seq) SELECT 'outbox_messages', seq FROM sqlite_sequence WHERE name = 'outbox';
    DROP TABLE outbox;
    CREATE INDEX outbox_by_key ON outbox_messages (message_key);
    CREATE VIEW outbox AS SELECT
      sequence, created_at, published_at, published_partition, published_offset, publish_epoch, dead_letter_id,
      event_id, event_type, topic, message_key, headers, message_value
    FROM outbox_messages LEFT JOIN outbox_publications USING (sequence);
    """
}

import FaultInjection
import GRDB
import Messaging
import WireFormat

/// Cursors, parked records and offsets.
extension SQLiteInbox {
  public func cursor(of key: String, in transaction: SQLiteTransaction) throws -> Int64 {
    try transaction.first(Self.cursor, group, key) { $0.integer(0) } ?? 0
  }

  public func moveCursor(of key: String, to version: Int64, in transaction: SQLiteTransaction) throws {
    try transaction.execute(Self.cursorMove, group, key, version)
  }

  public func advanceCursor(
    of key: String, to version: Int64, in transaction: SQLiteTransaction
  ) throws -> Bool {
    guard version > 1 else {
      return try version == 1 && transaction.execute(Self.cursorStart, group, key) == 1
    }
    return try transaction.execute(Self.cursorStep, version, group, key, version - 1) == 1
  }

  public func park(_ parked: ParkedRecord, in transaction: SQLiteTransaction) throws {
    let identity = parked.identity
    let record = parked.record
    try transaction.database.cachedStatement(sql: Self.parking).execute(arguments: [
      group, identity.key, identity.version ?? 0, identity.eventID, identity.eventType, now().millisecondsSinceEpoch,
      record.topic, record.topicPartition.partition, record.offset, record.timestamp, blob(record.key),
      blob(record.packedHeaders.bytes), blob(record.value), parked.isDiscarded,
    ])
    try Failpoint.inboxParking.hit(identity.key)
  }

  public func postpone(
    _ entry: InboxEntry, until moment: Timestamp, error: String, in transaction: SQLiteTransaction
  ) throws {
    let identity = entry.identity
    try transaction.database.cachedStatement(sql: Self.postponing).execute(arguments: [
      entry.attempts, moment.millisecondsSinceEpoch, error, group, identity.key, identity.version ?? 0,
      identity.eventID,
    ])
  }

  public func readyParked(limit: Int) throws -> ReadyParked {
    let now = now().millisecondsSinceEpoch
    return try database.readBlocking { database in
      let rows = try Row.fetchCursor(database.cachedStatement(sql: Self.nextParked), arguments: ["group": group])
      var ready = ReadyParked(keys: [], nextIn: nil)
      while let row = try rows.next(), ready.keys.count < limit {
        let pause = (row["retry_at"] as Int64?).map { Duration.milliseconds($0 - now) } ?? .zero
        // A rest that nobody can have meant was written by a clock that has been put back since.
        if pause <= .zero || pause > Self.longestRest {
          ready.keys.append(row["event_key"])
        } else {
          ready.nextIn = min(pause, ready.nextIn ?? pause)
        }
      }
      return ready
    }
  }

  public func hasParked(in transaction: SQLiteTransaction) throws -> Bool {
    try transaction.first(Self.anyParked, group) { $0.integer(0) } == 1
  }

  public func firstParkedVersion(of key: String, in transaction: SQLiteTransaction) throws -> Int64? {
    try Int64.fetchOne(transaction.database.cachedStatement(sql: Self.firstParked), arguments: [group, key])
  }

  /// Of several records with this version the one parked first is taken, one that was not discarded before one that was:
  /// the corrected event before the broken one. The others, and any with a lower version, come
  /// too late for ever: they are taken out as discarded.
  public func takeParked(
    key: String, version: Int64, in transaction: SQLiteTransaction
  ) throws -> ParkedRecord? {
    let database = transaction.database
    let rows = try Row.fetchAll(database.cachedStatement(sql: Self.parked), arguments: [group, key, version])
    guard !rows.isEmpty else { return nil }
    let wanted = try rows.first { $0["version"] == version }.map(ParkedRecord.init)
    let discard = try database.cachedStatement(sql: Self.discard)
    for row in rows where row["event_id"] != wanted?.identity.eventID {
      try discard.execute(arguments: [group, row["event_id"] as String])
    }
    try database.cachedStatement(sql: Self.unparking).execute(arguments: [group, key, version])
    try Failpoint.inboxUnparking.hit(key)
    return wanted
  }

  public func storeNextOffsets(
    _ offsets: [TopicPartition: Int64], cluster: String, in transaction: SQLiteTransaction
  ) throws {
    for (partition, next) in offsets {
      try transaction.execute(Self.offsetStoring, group, cluster, partition.topic, partition.partition, next)
    }
  }

  public func nextOffsets(cluster: String) throws -> [TopicPartition: Int64] {
    try database.readBlocking { database in
      let rows = try Row.fetchAll(database.cachedStatement(sql: Self.offsets), arguments: [group, cluster])
      return Dictionary(rows.map { (TopicPartition($0[0], $0[1]), $0[2]) }, uniquingKeysWith: min)
    }
  }

  private static let cursor = PreparedSQL(
    "SELECT version FROM key_cursors WHERE consumer_group = ? AND event_key = ?")

  private static let cursorMove = PreparedSQL(
    """
    INSERT INTO key_cursors (consumer_group, event_key, version) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET version = max(version, excluded.version)
    """)

  private static let cursorStart = PreparedSQL(
    """
    INSERT INTO key_cursors (consumer_group, event_key, version) VALUES (?, ?, 1)
    ON CONFLICT DO UPDATE SET version = 1 WHERE version = 0
    """)

  private static let cursorStep = PreparedSQL(
    "UPDATE key_cursors SET version = ? WHERE consumer_group = ? AND event_key = ? AND version = ?")

  private static let parking = """
    INSERT INTO parked_events (
      consumer_group, event_key, version, event_id, event_type, parked_at, topic, partition, record_offset,
      record_timestamp, message_key, headers, message_value, is_discarded)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, CAST(? AS BLOB), CAST(? AS BLOB), CAST(? AS BLOB), ?)
    ON CONFLICT DO NOTHING
    """

  private static let postponing = """
    UPDATE parked_events SET attempts = ?, retry_at = ?, error = ?
    WHERE consumer_group = ? AND event_key = ? AND version = ? AND event_id = ?
    """

  /// Far above any back-off.
  private static let longestRest = Duration.seconds(3600)

  // Steps from key to key through the index, however many records are parked under each.
  private static let nextParked = """
    WITH RECURSIVE keys (event_key) AS (
      SELECT min(event_key) FROM parked_events WHERE consumer_group = :group
      UNION ALL
      SELECT (SELECT min(p.event_key) FROM parked_events p
        WHERE p.consumer_group = :group AND p.event_key > keys.event_key)
      FROM keys WHERE keys.event_key IS NOT NULL)
    SELECT p.event_key, max(p.retry_at) AS retry_at
    FROM keys CROSS JOIN parked_events p ON p.consumer_group = :group AND p.event_key = keys.event_key
      AND p.version <= 1 + coalesce((SELECT version FROM key_cursors c
        WHERE c.consumer_group = :group AND c.event_key = keys.event_key), 0)
    GROUP BY p.event_key
    """

  private static let anyParked = PreparedSQL("SELECT EXISTS (SELECT 1 FROM parked_events WHERE consumer_group = ?)")

  private static let firstParked =
    "SELECT min(version) FROM parked_events WHERE consumer_group = ? AND event_key = ?"

  private static let parked = """
    SELECT * FROM parked_events WHERE consumer_group = ? AND event_key = ? AND version <= ?
    ORDER BY version, is_discarded, parked_at, record_offset
    """

  private static let unparking =
    "DELETE FROM parked_events WHERE consumer_group = ? AND event_key = ? AND version <= ?"

  private static let discard = """
    UPDATE processed_events SET outcome = 'discarded' WHERE consumer_group = ? AND event_id = ? AND outcome = 'parked'
    """

  private static let offsetStoring = PreparedSQL(
    """
    INSERT INTO next_offsets (consumer_group, cluster_id, topic, partition, next_offset) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET next_offset = excluded.next_offset
    """)

  private static let offsets =
    "SELECT topic, partition, next_offset FROM next_offsets WHERE consumer_group = ? AND cluster_id = ?"
}

extension ParkedRecord {
  init(_ row: Row) throws {
    self.init(
      identity: EventIdentity(
        eventID: row["event_id"], eventType: row["event_type"], key: row["event_key"], version: row["version"]),
      record: try row.consumedRecord(), isDiscarded: row["is_discarded"], attempts: row["attempts"])
  }
}

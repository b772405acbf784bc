import FaultInjection
import GRDB
import Messaging

/// Cursors, parked records and offsets.
extension SQLiteInbox {
  public func cursor(of key: String, in transaction: SQLiteTransaction) throws -> Int64 {
    try Int64.fetchOne(transaction.database.cachedStatement(sql: Self.cursor), arguments: [group, key]) ?? 0
  }

  /// A cursor never goes back.
  public func moveCursor(of key: String, to version: Int64, in transaction: SQLiteTransaction) throws {
    try transaction.database.cachedStatement(sql: Self.cursorMove).execute(arguments: [group, key, version])
  }

  public func park(_ parked: ParkedRecord, in transaction: SQLiteTransaction) throws {
    let identity = parked.identity
    let record = parked.record
    try transaction.database.cachedStatement(sql: Self.parking).execute(arguments: [
      group, identity.key, identity.version ?? 0, identity.eventID, identity.eventType, now().millisecondsSinceEpoch,
      record.topic, record.topicPartition.partition, record.offset, record.timestamp, blob(record.key),
      blob(HeaderCoding.encode(record.headers)), blob(record.value),
    ])
    try Failpoint.inboxParking.hit(identity.key)
  }

  /// Of several records with this version the one parked first is taken. The others, and any with a lower version, come
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
    let statement = try transaction.database.cachedStatement(sql: Self.offsetStoring)
    for (partition, next) in offsets {
      try statement.execute(arguments: [group, cluster, partition.topic, partition.partition, next])
    }
  }

  public func nextOffsets(cluster: String) throws -> [TopicPartition: Int64] {
    try database.readBlocking { database in
      let rows = try Row.fetchAll(database.cachedStatement(sql: Self.offsets), arguments: [group, cluster])
      return Dictionary(rows.map { (TopicPartition($0[0], $0[1]), $0[2]) }, uniquingKeysWith: min)
    }
  }

  private static let cursor = "SELECT version FROM key_cursors WHERE consumer_group = ? AND event_key = ?"

  private static let cursorMove = """
    INSERT INTO key_cursors (consumer_group, event_key, version) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET version = max(version, excluded.version)
    """

  private static let parking = """
    INSERT INTO parked_events (
      consumer_group, event_key, version, event_id, event_type, parked_at, topic, partition, record_offset,
      record_timestamp, message_key, headers, message_value)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, CAST(? AS BLOB), CAST(? AS BLOB), CAST(? AS BLOB))
    ON CONFLICT DO NOTHING
    """

  private static let parked = """
    SELECT * FROM parked_events WHERE consumer_group = ? AND event_key = ? AND version <= ?
    ORDER BY version, parked_at, record_offset
    """

  private static let unparking =
    "DELETE FROM parked_events WHERE consumer_group = ? AND event_key = ? AND version <= ?"

  private static let discard = """
    UPDATE processed_events SET outcome = 'discarded' WHERE consumer_group = ? AND event_id = ? AND outcome = 'parked'
    """

  private static let offsetStoring = """
    INSERT INTO next_offsets (consumer_group, cluster_id, topic, partition, next_offset) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET next_offset = excluded.next_offset
    """

  private static let offsets =
    "SELECT topic, partition, next_offset FROM next_offsets WHERE consumer_group = ? AND cluster_id = ?"
}

extension ParkedRecord {
  init(_ row: Row) throws {
    self.init(
      identity: EventIdentity(
        eventID: row["event_id"], eventType: row["event_type"], key: row["event_key"], version: row["version"]),
      record: try row.consumedRecord())
  }
}

import GRDB
import Messaging

/// What people ask about an inbox.
extension SQLiteInbox {
  public func summary() async throws -> InboxSummary {
    try await database.read { [group] in try Self.summary(of: group, in: $0) }
  }

  /// The same for threads of ours: blocks.
  public func backlog() throws -> InboxSummary {
    try database.readBlocking { try Self.summary(of: group, in: $0) }
  }

  private static func summary(of group: String, in database: Database) throws -> InboxSummary {
    let open = try Int.fetchOne(database.cachedStatement(sql: openDeadLetters), arguments: [group])
    let parked = try Int.fetchOne(database.cachedStatement(sql: parkedNumber), arguments: [group]) ?? 0
    guard parked > 0 else { return InboxSummary(openDeadLetters: open ?? 0) }
    let gaps = try Row.fetchOne(database.cachedStatement(sql: gaps), arguments: [group])
    return InboxSummary(
      openDeadLetters: open ?? 0, parkedRecords: parked, gaps: gaps?["number"] ?? 0,
      oldestGap: gaps?.momentIfAny("since"))
  }

  /// A page of dead letters, newest first.
  ///
  /// - Parameters:
  ///   - id: where the page before ended (its last dead letter's id); nil for the first page.
  public func deadLetters(
    matching filter: DeadLetterFilter = DeadLetterFilter(), before id: Int64? = nil, limit: Int
  ) async throws -> [DeadLetterEntry] {
    let condition = filter.condition
    let sql = """
      SELECT \(DeadLetterEntry.columns) FROM dead_letters
      WHERE consumer_group = ? AND \(condition.sql) id < ? ORDER BY id DESC LIMIT ?
      """
    let arguments: StatementArguments = [group] + condition.arguments + [id ?? .max, limit]
    return try await database.read { try Row.fetchAll($0, sql: sql, arguments: arguments).map(DeadLetterEntry.init) }
  }

  /// A dead letter with the exact record, what is parked behind it, and what was done about it; nil when this group has
  /// none with this id.
  ///
  /// - Parameter limit: of the parked records.
  public func deadLetter(id: Int64, parkedLimit limit: Int = 100) async throws -> DeadLetterDetail? {
    try await database.read { [group] database in
      guard
        let row = try Row.fetchOne(
          database,
          sql: "SELECT *, length(message_value) AS value_size FROM dead_letters WHERE id = ? AND consumer_group = ?",
          arguments: [id, group])
      else { return nil }
      let entry = DeadLetterEntry(row)
      let behind: StatementArguments = [group, entry.key, entry.version]
      return DeadLetterDetail(
        entry: entry, record: try row.consumedRecord(),
        parkedBehind: try Row.fetchAll(
          database, sql: "\(Self.parkedColumns) \(Self.behind) ORDER BY version, event_id LIMIT ?",
          arguments: behind + [limit]
        ).map(ParkedEntry.init),
        parkedBehindCount: try Int.fetchOne(
          database, sql: "SELECT COUNT(*) FROM parked_events \(Self.behind)", arguments: behind) ?? 0,
        audit: try Row.fetchAll(database, sql: Self.audits, arguments: [id, group]).map(DeadLetterAudit.init))
    }
  }

  /// A page of parked records, by key and version.
  ///
  /// - Parameter key: only the records of this key; nil for those of all.
  public func parked(
    ofKey key: String? = nil, after position: ParkedPosition? = nil, limit: Int
  ) async throws -> [ParkedEntry] {
    let sql = key == nil ? Self.parkedPage : Self.parkedPageOfKey
    let arguments: StatementArguments = [
      group, key ?? position?.key ?? "", position?.version ?? .min, position?.eventID ?? "", limit,
    ]
    return try await database.read { database in
      try Row.fetchAll(database.cachedStatement(sql: sql), arguments: arguments).map(ParkedEntry.init)
    }
  }

  /// What this group did with the events of a key, in the order in which it did, at most `limit`. Not to be asked of a
  /// store with ``MessagingMigrations/withoutEventsByKey``.
  public func entries(ofKey key: String, limit: Int = 1000) async throws -> [ProcessedEvent] {
    try await database.read { [group] in try Self.entries(ofKey: key, group: group, limit: limit, in: $0) }
  }

  /// The same inside a read of the caller's, for answers that put several tables together.
  public static func entries(
    ofKey key: String, group: String, limit: Int = 1000, in database: Database
  ) throws -> [ProcessedEvent] {
    try Row.fetchAll(database.cachedStatement(sql: processedOfKey), arguments: [key, group, limit])
      .map(ProcessedEvent.init)
  }

  private static let processedOfKey = """
    SELECT * FROM processed_events INDEXED BY processed_events_by_key WHERE event_key = ? AND consumer_group = ?
    ORDER BY processed_at, topic, partition, record_offset LIMIT ?
    """

  private static let openDeadLetters =
    "SELECT COUNT(*) FROM dead_letters WHERE consumer_group = ? AND status = 'open'"

  private static let parkedNumber = "SELECT COUNT(*) FROM parked_events WHERE consumer_group = ?"

  private static let waitingFor = """
    1 + coalesce((SELECT version FROM key_cursors c
      WHERE c.consumer_group = p.consumer_group AND c.event_key = p.event_key), 0)
    """

  private static let inTheWay = """
    (SELECT max(id) FROM dead_letters d
      WHERE d.event_key = p.event_key AND d.consumer_group = p.consumer_group AND d.status = 'open'
        AND d.version = \(waitingFor))
    """

  private static let parkedColumns = """
    SELECT event_id, event_type, event_key, version, topic, partition, record_offset, parked_at, is_discarded, attempts,
      error, length(message_value) AS value_size, \(waitingFor) AS waiting_for, \(inTheWay) AS dead_letter_id
    FROM parked_events p
    """

  private static let behind = "WHERE consumer_group = ? AND event_key = ? AND version > ?"

  private static let audits =
    "SELECT * FROM dead_letter_audit WHERE dead_letter_id = ? AND consumer_group = ? ORDER BY id"

  private static let parkedPage = """
    \(parkedColumns)
    WHERE consumer_group = ? AND (event_key, version, event_id) > (?, ?, ?)
    ORDER BY event_key, version, event_id LIMIT ?
    """

  private static let parkedPageOfKey = """
    \(parkedColumns)
    WHERE consumer_group = ? AND event_key = ? AND (version, event_id) > (?, ?) ORDER BY version, event_id LIMIT ?
    """

  // A key waits in a gap where the version that it has to see next is neither an open dead letter nor parked itself.
  private static let gaps = """
    SELECT count(DISTINCT event_key) AS number, min(parked_at) AS since FROM parked_events p
    WHERE consumer_group = ? AND \(inTheWay) IS NULL AND NOT EXISTS (SELECT 1 FROM parked_events n
      WHERE n.consumer_group = p.consumer_group AND n.event_key = p.event_key AND n.version <= \(waitingFor))
    """
}

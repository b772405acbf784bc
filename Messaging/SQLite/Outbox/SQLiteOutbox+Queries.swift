import GRDB
import Messaging

/// What people ask about an outbox.
extension SQLiteOutbox {
  public func summary() async throws -> OutboxSummary {
    try await database.read { database in
      let lease = try LeaseRow.fetch(database)
      return OutboxSummary(
        unpublished: try Int.fetchOne(database.cachedStatement(sql: Self.unpublishedNumber)) ?? 0,
        oldestUnpublished: try Row.fetchOne(database, sql: Self.oldestUnpublished)?.moment("created_at"),
        lastSequence: try Self.lastSequence(in: database),
        publishEpoch: try Self.epoch(database),
        isEpochReady: try Int64.fetchOne(database, sql: "SELECT epoch_ready_to FROM relay_state") == nil,
        clusterID: try String.fetchOne(database, sql: "SELECT cluster_id FROM relay_state"),
        leaseHolder: lease.holder, leaseExpiresAt: lease.holder == nil ? nil : lease.expiresAt)
    }
  }

  /// A page of rows, newest first.
  ///
  /// - Parameter sequence: where the page before ended (its last row's sequence); nil for the first page.
  public func entries(
    matching filter: OutboxFilter = OutboxFilter(), before sequence: Int64? = nil, limit: Int
  ) async throws -> [OutboxEntry] {
    try await database.read { database in
      try OutboxEntry.fetch(
        database, from: Self.source(of: filter), order: "DESC",
        arguments: filter.key.map { [blob(Array($0.utf8)), sequence ?? .max, limit] } ?? [sequence ?? .max, limit])
    }
  }

  /// The rows of a key, oldest first, at most `limit`.
  public func entries(ofKey key: String, limit: Int = 1000) async throws -> [OutboxEntry] {
    try await database.read { try Self.entries(ofKey: key, limit: limit, in: $0) }
  }

  /// The same inside a read of the caller's, for answers that put several tables together.
  public static func entries(ofKey key: String, limit: Int = 1000, in database: Database) throws -> [OutboxEntry] {
    try OutboxEntry.fetch(
      database, from: source(of: OutboxFilter(key: key)), order: "ASC",
      arguments: [blob(Array(key.utf8)), Int64.max, limit])
  }

  /// The tables to read, up to a condition that follows. The narrow ones come first where they say which rows there are.
  private static func source(of filter: OutboxFilter) -> String {
    guard filter.key == nil else {
      let state = filter.isPublished.map { $0 ? "published_at IS NOT NULL AND" : "published_at IS NULL AND" } ?? ""
      // The index is named: left alone, SQLite would rather walk all rows by sequence than sort what the index finds.
      return """
        outbox_messages INDEXED BY outbox_by_key LEFT JOIN outbox_publications USING (sequence)
        WHERE message_key = CAST(? AS BLOB) AND \(state)
        """
    }
    return switch filter.isPublished {
    case nil: "outbox WHERE"
    case true?: "outbox_publications CROSS JOIN outbox_messages USING (sequence) WHERE"
    case false?:
      "outbox_pending CROSS JOIN outbox_messages USING (sequence) LEFT JOIN outbox_publications USING (sequence) WHERE"
    }
  }

  private static let oldestUnpublished = """
    SELECT created_at FROM outbox_pending CROSS JOIN outbox_messages USING (sequence) ORDER BY sequence LIMIT 1
    """
}

extension OutboxEntry {
  fileprivate static func fetch(
    _ database: Database, from source: String, order: String, arguments: StatementArguments
  ) throws -> [OutboxEntry] {
    let sql = "SELECT \(columns) FROM \(source) sequence < ? ORDER BY sequence \(order) LIMIT ?"
    let rows = try Row.fetchCursor(database.cachedStatement(sql: sql), arguments: arguments)
    var entries: [OutboxEntry] = []
    while let row = try rows.next() { entries.append(OutboxEntry(row)) }
    return entries
  }
}

import FaultInjection
import GRDB
import Messaging
import WireFormat

/// Which published rows to publish again; every condition that is not nil has to hold. With none: all that are in the
/// outbox.
public struct ReplaySelection: Sendable, Hashable {
  /// Published last at this moment or later.
  public var since: Timestamp?
  /// The message key: an order's id.
  public var key: String?
  /// Published last before this moment: that of the replay's begin, so that it comes to an end under load.
  public var publishedBefore: Timestamp?

  public init(since: Timestamp? = nil, key: String? = nil, publishedBefore: Timestamp? = nil) {
    self.since = since
    self.key = key
    self.publishedBefore = publishedBefore
  }
}

/// One step of a replay.
public struct ReplayStep: Sendable, Hashable {
  /// Rows that will be published again, or would be.
  public var rows: Int
  /// Where the next step goes on; nil at the end.
  public var next: Int64?

  public init(rows: Int, next: Int64?) {
    self.rows = rows
    self.next = next
  }
}

extension SQLiteOutbox {
  /// Makes rows that were published unpublished again, in the order in which they were appended, so that the relay
  /// publishes them once more. Readers drop what they had. Of dead letters only the open ones are published again.
  ///
  /// A step is one transaction of at most `limit` rows. The relay is woken after it.
  ///
  /// - Parameters:
  ///   - sequence: where the step before ended; 0 to begin.
  ///   - isDryRun: counts, and writes nothing.
  public func replay(
    _ selection: ReplaySelection, after sequence: Int64 = 0, limit: Int, isDryRun: Bool
  ) async throws -> ReplayStep {
    let limit = max(1, limit)
    let arguments: StatementArguments = [
      "since": selection.since?.millisecondsSinceEpoch ?? .min,
      "before": selection.publishedBefore?.millisecondsSinceEpoch ?? .max,
      "key": selection.key, "after": sequence, "limit": limit,
    ]
    let sql = selection.key == nil ? Self.published : Self.publishedOfKey
    // Looked up on a reader, so that the writer only marks.
    let found = try await database.read {
      try Int64.fetchAll($0.cachedStatement(sql: sql), arguments: arguments)
    }
    let next = found.count < limit ? nil : found.last
    guard !isDryRun, !found.isEmpty else { return ReplayStep(rows: found.count, next: next) }
    let rows = try await database.write { transaction in
      let rows = try found.reduce(0) { rows, sequence in
        guard try transaction.execute(Self.forgetPublication, sequence) == 1 else { return rows }
        try transaction.execute(Self.pending, sequence)
        return rows + 1
      }
      try Failpoint.outboxReplaying.hit()
      callAfterReplay(transaction)
      return rows
    }
    return ReplayStep(rows: rows, next: next)
  }

  private static let published = selection(
    from: "outbox_publications CROSS JOIN outbox_messages USING (sequence)", of: ":key IS NULL")

  private static let publishedOfKey = selection(
    from: "outbox_messages INDEXED BY outbox_by_key CROSS JOIN outbox_publications USING (sequence)",
    of: "message_key = CAST(:key AS BLOB)")

  private static func selection(from tables: String, of key: String) -> String {
    """
    SELECT sequence FROM \(tables)
    WHERE published_at >= :since AND published_at < :before AND sequence > :after AND \(key)
      AND (dead_letter_id IS NULL OR dead_letter_id IN (SELECT id FROM dead_letters WHERE status = 'open'))
    ORDER BY sequence LIMIT :limit
    """
  }

  private static let forgetPublication = PreparedSQL("DELETE FROM outbox_publications WHERE sequence = ?")
}

import GRDB
import Messaging
import WireFormat

extension SQLiteOutbox {
  /// Deletes rows that were published longer ago than the retention, in a short transaction of its own. What waits for
  /// its publication stays, and so does what publishes a dead letter that is still open. Nothing is deleted while a new
  /// epoch is not ready: some of it has to be published again.
  ///
  /// - Parameters:
  ///   - sequence: where the step before ended; 0 to begin.
  ///   - limit: rows to look at.
  public func purge(after sequence: Int64 = 0, limit: Int = 1000) async throws -> PurgeStep<Int64> {
    let cutoff = (now() - retention).millisecondsSinceEpoch
    // Looked up on a reader, so that the writer only deletes. Rows are appended in the order of time: the first one that
    // is too young ends the search.
    let (old, next) = try await database.read { database in
      let rows = try Row.fetchAll(
        database.cachedStatement(sql: Self.oldest), arguments: [sequence, limit])
      let old = rows.prefix { $0["created_at"] < cutoff }
      let isAtEnd = old.count < rows.count || rows.count < limit
      let next: Int64? = isAtEnd ? nil : old.last?["sequence"]
      return (old.filter { $0["is_done"] }.map { $0["sequence"] as Int64 }, next)
    }
    guard !old.isEmpty else { return PurgeStep(deleted: 0, next: next) }
    let deleted = try await database.write { transaction in
      try old.consecutiveRuns(by: \.self).reduce(0) { deleted, run in
        let (first, last) = (run[run.startIndex], run[run.endIndex - 1])
        try transaction.execute(Self.deletePublications, first, last, cutoff)
        return deleted + (try transaction.execute(Self.deleteMessages, first, last))
      }
    }
    return PurgeStep(deleted: deleted, next: next)
  }

  private static let oldest = """
    SELECT sequence, created_at, published_at IS NOT NULL AND (dead_letter_id IS NULL OR dead_letter_id NOT IN (
      SELECT id FROM dead_letters WHERE status = 'open')) AS is_done
    FROM outbox WHERE sequence > ? ORDER BY sequence LIMIT ?
    """

  private static let deletePublications = PreparedSQL(
    """
    DELETE FROM outbox_publications
    WHERE sequence BETWEEN ? AND ? AND published_at < ? AND (SELECT epoch_ready_to FROM relay_state) IS NULL
    """)

  // A message waits or is published: the publications of these have just been deleted.
  private static let deleteMessages = PreparedSQL(
    """
    DELETE FROM outbox_messages WHERE sequence BETWEEN ? AND ?
      AND NOT EXISTS (SELECT 1 FROM outbox_publications WHERE outbox_publications.sequence = outbox_messages.sequence)
      AND NOT EXISTS (SELECT 1 FROM outbox_pending WHERE outbox_pending.sequence = outbox_messages.sequence)
    """)
}

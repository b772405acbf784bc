import GRDB
import Messaging
import WireFormat

extension SQLiteInbox {
  /// Forgets events that were dealt with longer ago than `retention`, in a short transaction of its own. What is parked
  /// or has an open dead letter stays.
  ///
  /// An event that comes again after it was forgotten would be handled again: `retention` has to be longer than topics
  /// and outboxes keep anything.
  ///
  /// - Parameters:
  ///   - eventID: where the step before ended; empty to begin.
  ///   - limit: rows to look at.
  public func purgeProcessed(
    olderThan retention: Duration, after eventID: String = "", limit: Int = 1000
  ) async throws -> PurgeStep<String> {
    let cutoff = (now() - retention).millisecondsSinceEpoch
    // There is no index by time, which every event would have to pay for: this walks the table in the order of its key.
    let (old, next) = try await database.read { [group] database in
      let rows = try Row.fetchAll(
        database.cachedStatement(sql: Self.walk), arguments: [cutoff, group, eventID, limit])
      let next: String? = rows.count < limit ? nil : rows.last?["event_id"]
      return (rows.filter { $0["is_old"] }.map { $0["event_id"] as String }, next)
    }
    guard !old.isEmpty else { return PurgeStep(deleted: 0, next: next) }
    let deleted = try await database.write { [group] transaction in
      let statement = try transaction.database.cachedStatement(sql: Self.forgetting)
      return try old.reduce(0) { deleted, eventID in
        try statement.execute(arguments: [group, eventID, cutoff])
        return deleted + transaction.database.changesCount
      }
    }
    return PurgeStep(deleted: deleted, next: next)
  }

  /// Deletes up to `limit` dead letters that were resolved or discarded longer ago than `retention`.
  ///
  /// - Returns: how many were deleted.
  public func purgeDeadLetters(olderThan retention: Duration, limit: Int = 100) async throws -> Int {
    let cutoff = (now() - retention).millisecondsSinceEpoch
    return try await database.write { [group] transaction in
      try transaction.database.execute(sql: Self.deadLetters, arguments: [group, cutoff, limit])
      return transaction.database.changesCount
    }
  }

  /// Deletes what was done about dead letters that are gone, and deaths that were found, both longer ago than
  /// `retention`.
  ///
  /// - Returns: how many were deleted.
  public func purgeRecords(olderThan retention: Duration, limit: Int = 100) async throws -> Int {
    let cutoff = (now() - retention).millisecondsSinceEpoch
    return try await database.write { [group] transaction in
      try transaction.database.execute(sql: Self.audits, arguments: [group, cutoff, limit])
      let audits = transaction.database.changesCount
      try transaction.database.execute(
        sql: "DELETE FROM crashed_attempts WHERE consumer_group = ? AND found_at < ?", arguments: [group, cutoff])
      return audits + transaction.database.changesCount
    }
  }

  private static let audits = """
    DELETE FROM dead_letter_audit WHERE id IN (
      SELECT id FROM dead_letter_audit a
      WHERE consumer_group = ? AND at < ? AND NOT EXISTS (SELECT 1 FROM dead_letters d WHERE d.id = a.dead_letter_id)
      ORDER BY id LIMIT ?)
    """

  private static let walk = """
    SELECT event_id, processed_at < ? AND outcome IN ('processed', 'discarded') AS is_old FROM processed_events
    WHERE consumer_group = ? AND event_id > ? ORDER BY event_id LIMIT ?
    """

  private static let forgetting = """
    DELETE FROM processed_events
    WHERE consumer_group = ? AND event_id = ? AND processed_at < ? AND outcome IN ('processed', 'discarded')
    """

  private static let deadLetters = """
    DELETE FROM dead_letters WHERE id IN (
      SELECT id FROM dead_letters
      WHERE consumer_group = ? AND status IN ('resolved', 'discarded') AND resolved_at < ? LIMIT ?)
    """
}

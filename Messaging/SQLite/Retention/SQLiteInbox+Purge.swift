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
    let now = now()
    let cutoff = (now - retention).millisecondsSinceEpoch
    // There is no index by time, which every event would have to pay for: this walks the table in the order of its key,
    // and jumps over the ids that say themselves that they were made within the retention. Other ids that sort among
    // those are come to later, as time goes on.
    let young = UUIDv7.lowest(at: min(now - retention, now))..<UUIDv7.lowest(at: now)
    let isBeyond = eventID >= young.lowerBound
    let (old, next) = try await database.read { [group] database in
      let rows = try Row.fetchAll(
        database.cachedStatement(sql: isBeyond ? Self.walk : Self.walkToTheYoung),
        arguments: isBeyond
          ? [cutoff, group, eventID, limit] : [cutoff, group, eventID, young.lowerBound, limit])
      let end = isBeyond ? nil : young.upperBound
      let next: String? = rows.count < limit ? end : rows.last?["event_id"]
      return (rows.filter { $0["is_old"] }.map { $0["event_id"] as String }, next)
    }
    guard let first = old.first, let last = old.last else { return PurgeStep(deleted: 0, next: next) }
    let deleted = try await database.write { [group] transaction in
      try transaction.execute(Self.forgetting, group, first, last, cutoff)
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

  private static let walk = makeWalk(condition: "event_id > ?")
  private static let walkToTheYoung = makeWalk(condition: "event_id > ? AND event_id < ?")

  private static func makeWalk(condition: String) -> String {
    """
    SELECT event_id, processed_at < ? AND outcome IN ('processed', 'discarded') AS is_old FROM processed_events
    WHERE consumer_group = ? AND \(condition) ORDER BY event_id LIMIT ?
    """
  }

  private static let forgetting = PreparedSQL(
    """
    DELETE FROM processed_events
    WHERE consumer_group = ? AND event_id BETWEEN ? AND ? AND processed_at < ? AND outcome IN ('processed', 'discarded')
    """)

  private static let deadLetters = """
    DELETE FROM dead_letters WHERE id IN (
      SELECT id FROM dead_letters
      WHERE consumer_group = ? AND status IN ('resolved', 'discarded') AND resolved_at < ? LIMIT ?)
    """
}

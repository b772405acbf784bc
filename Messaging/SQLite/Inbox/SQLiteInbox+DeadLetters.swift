import FaultInjection
import GRDB
import Messaging
import WireFormat

/// Dead letters: one row per event, and its publication, in the transaction that gives the event up.
extension SQLiteInbox {
  public func keep(_ deadLetter: DeadLetter, in transaction: SQLiteTransaction) throws -> Bool {
    let record = deadLetter.record
    let database = transaction.database
    try database.cachedStatement(sql: Self.insertion).execute(arguments: [
      group, deadLetter.eventID, deadLetter.redrives, deadLetter.failedAt.millisecondsSinceEpoch, deadLetter.error,
      deadLetter.attempts, deadLetter.eventType, deadLetter.key, deadLetter.version, record.topic,
      record.topicPartition.partition, record.offset, record.timestamp, blob(record.key),
      blob(record.packedHeaders.bytes), blob(record.value),
    ])
    guard database.changesCount == 1 else { return false }
    try publish(deadLetter, id: database.lastInsertedRowID, in: transaction)
    return true
  }

  public func renew(_ id: Int64, as letter: DeadLetter, in transaction: SQLiteTransaction) throws {
    try transaction.database.cachedStatement(sql: Self.renewal).execute(arguments: [
      letter.redrives, letter.failedAt.millisecondsSinceEpoch, letter.error, letter.attempts, id, group,
    ])
    try Failpoint.inboxFailingAgain.hit(letter.eventID)
    try publish(letter, id: id, in: transaction)
  }

  private func publish(_ letter: DeadLetter, id: Int64, in transaction: SQLiteTransaction) throws {
    try transaction.database.cachedStatement(sql: Self.redriveCount)
      .execute(arguments: [letter.redrives, group, letter.eventID])
    try Failpoint.inboxDeadLettering.hit(letter.eventID)
    let publication = letter.outboxMessage(maximumBytes: maximumDeadLetterBytes)
    if Mutation.deadLetterAfterCommit.isOn {
      publishLater(publication, in: transaction)
    } else {
      try outbox.append(publication, publishing: id, in: transaction)
    }
  }

  public func close(
    _ id: Int64, as status: DeadLetterStatus, reason: String?, in transaction: SQLiteTransaction
  ) throws {
    try transaction.database.cachedStatement(sql: Self.closing)
      .execute(arguments: [status.rawValue, now().millisecondsSinceEpoch, reason, id, group])
    try Failpoint.inboxClosing.hit(String(id))
  }

  public func deadLetter(_ id: Int64, in transaction: SQLiteTransaction) throws -> KeptDeadLetter? {
    try transaction.database.firstRow(Self.byID, [id, group]) { try KeptDeadLetter($0) }
  }

  public func deadLetter(ofEvent eventID: String, in transaction: SQLiteTransaction) throws -> KeptDeadLetter? {
    try transaction.database.firstRow(Self.byEvent, [group, eventID]) { try KeptDeadLetter($0) }
  }

  public func openDeadLetter(
    ofKey key: String, versions: ClosedRange<Int64>, in transaction: SQLiteTransaction
  ) throws -> KeptDeadLetter? {
    try transaction.database.firstRow(Self.openOfKey, [key, group, versions.lowerBound, versions.upperBound]) {
      try KeptDeadLetter($0)
    }
  }

  public func record(_ audit: DeadLetterAudit, in transaction: SQLiteTransaction) throws {
    try transaction.database.cachedStatement(sql: Self.audit).execute(arguments: [
      group, audit.at.millisecondsSinceEpoch, audit.requester.name, audit.requester.reason, audit.action.rawValue,
      audit.outcome.rawValue, audit.deadLetterID, audit.key, audit.detail,
    ])
  }

  private static let insertion = """
    INSERT INTO dead_letters (
      status, consumer_group, event_id, redrives, failed_at, error, attempts, event_type, event_key, version, topic,
      partition, record_offset, record_timestamp, message_key, headers, message_value)
    VALUES ('open', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, CAST(? AS BLOB), CAST(? AS BLOB), CAST(? AS BLOB))
    ON CONFLICT DO NOTHING
    """

  private static let renewal = """
    UPDATE dead_letters
    SET status = 'open', resolved_at = NULL, reason = NULL, redrives = ?, failed_at = ?, error = ?, attempts = ?
    WHERE id = ? AND consumer_group = ?
    """

  private static let redriveCount =
    "UPDATE processed_events SET redrives = ? WHERE consumer_group = ? AND event_id = ?"

  private static let closing =
    "UPDATE dead_letters SET status = ?, resolved_at = ?, reason = ? WHERE id = ? AND consumer_group = ?"

  private static let byID = "SELECT * FROM dead_letters WHERE id = ? AND consumer_group = ?"

  private static let byEvent = "SELECT * FROM dead_letters WHERE consumer_group = ? AND event_id = ?"

  private static let openOfKey = """
    SELECT * FROM dead_letters INDEXED BY dead_letters_by_key
    WHERE event_key = ? AND consumer_group = ? AND status = 'open' AND version BETWEEN ? AND ? ORDER BY version LIMIT 1
    """

  private static let audit = """
    INSERT INTO dead_letter_audit (
      consumer_group, at, requester, reason, action, outcome, dead_letter_id, event_key, detail)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    """
}

extension KeptDeadLetter {
  fileprivate init(_ row: Row) throws {
    self.init(
      id: row["id"], status: DeadLetterStatus(rawValue: row["status"]) ?? .open,
      letter: DeadLetter(
        consumerGroup: row["consumer_group"], eventID: row["event_id"], eventType: row["event_type"],
        key: row["event_key"], version: row["version"], record: try row.consumedRecord(), error: row["error"],
        attempts: row["attempts"], redrives: row["redrives"], failedAt: row.moment("failed_at")))
  }
}

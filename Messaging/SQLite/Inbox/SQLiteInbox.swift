import FaultInjection
import Messaging
import WireFormat

/// The inbox of one consumer group in a store: an event's effect and the fact that it was handled are one transaction,
/// so the effect happens once, however often the event comes.
public struct SQLiteInbox: InboxStore {
  public typealias Transaction = SQLiteTransaction

  /// The consumer group.
  public let group: String
  let database: SQLiteDatabase
  let now: @Sendable () -> Timestamp
  let outbox: SQLiteOutbox
  let maximumDeadLetterBytes: Int

  /// - Parameters:
  ///   - database: a store with ``MessagingMigrations``.
  ///   - outbox: the same store's; dead letters are published through it.
  ///   - maximumDeadLetterBytes: what the dead letter topics take in one message, key, value and headers together.
  ///   - now: the wall clock.
  public init(
    database: SQLiteDatabase, group: String, outbox: SQLiteOutbox, maximumDeadLetterBytes: Int = 1_000_000,
    now: @escaping @Sendable () -> Timestamp = { Timestamp.now() }
  ) {
    self.database = database
    self.group = group
    self.outbox = outbox
    self.maximumDeadLetterBytes = maximumDeadLetterBytes
    self.now = now
  }

  public func transact<Result: Sendable>(
    isRepeatable: Bool, _ body: @escaping @Sendable (SQLiteTransaction) throws -> Result, meanwhile: () -> Void
  ) throws -> Result {
    try database.writeBlocking(isRepeatable: isRepeatable, body, meanwhile: meanwhile)
  }

  public func savepoint<Result>(in transaction: SQLiteTransaction, _ body: () throws -> Result) throws -> Result {
    try transaction.savepoint(body)
  }

  public func register(
    _ entry: InboxEntry, outcome: InboxOutcome, in transaction: SQLiteTransaction
  ) throws -> Bool {
    if Mutation.dedupAfterCommit.isOn { return try registerLater(entry, outcome, in: transaction) }
    return try write(entry, outcome, by: Self.registration, in: transaction) == 1
  }

  public func unregister(_ eventID: String, in transaction: SQLiteTransaction) throws {
    try transaction.execute(Self.removal, group, eventID)
  }

  public func settle(_ entry: InboxEntry, outcome: InboxOutcome, in transaction: SQLiteTransaction) throws {
    try write(entry, outcome, by: Self.settlement, in: transaction)
  }

  public func outcome(ofEvent eventID: String, in transaction: SQLiteTransaction) throws -> InboxOutcome? {
    try transaction.first(Self.outcome, group, eventID) { InboxOutcome(rawValue: $0.text(0)) } ?? nil
  }

  /// - Returns: how many rows were written.
  @discardableResult
  func write(
    _ entry: InboxEntry, _ outcome: InboxOutcome, by statement: PreparedSQL, in transaction: SQLiteTransaction
  ) throws -> Int {
    let identity = entry.identity
    return try transaction.execute(
      statement, group, identity.eventID, outcome.rawValue, identity.eventType, identity.key, identity.version,
      entry.topicPartition.topic, entry.topicPartition.partition, entry.offset, entry.attempts,
      now().millisecondsSinceEpoch)
  }

  private static let insertion = """
    INSERT INTO processed_events (
      consumer_group, event_id, outcome, event_type, event_key, version, topic, partition, record_offset, attempts,
      processed_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    """

  /// Fails where there is a row.
  static let bareInsertion = PreparedSQL(insertion)

  private static let registration = PreparedSQL("\(insertion) ON CONFLICT DO NOTHING")

  private static let settlement = PreparedSQL(
    """
    \(insertion) ON CONFLICT DO UPDATE SET
      outcome = excluded.outcome, attempts = excluded.attempts, processed_at = excluded.processed_at
    """)

  private static let removal = PreparedSQL(
    "DELETE FROM processed_events WHERE consumer_group = ? AND event_id = ?")

  private static let outcome = PreparedSQL(
    "SELECT outcome FROM processed_events WHERE consumer_group = ? AND event_id = ?")
}

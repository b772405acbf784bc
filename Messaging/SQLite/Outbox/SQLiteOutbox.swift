import Messaging
import Synchronization
import WireFormat

/// The outbox of a store: a message that is appended in a committed transaction is published at least once, one of a
/// transaction that is rolled back never.
///
/// The same value is a service's ``OutboxWriter``, the relay's `OutboxStore`, and answers what people ask about it.
/// Copies share their wake-up call.
public struct SQLiteOutbox: OutboxWriter {
  let database: SQLiteDatabase
  /// How long published rows are kept, so that they can be published again.
  let retention: Duration
  let now: @Sendable () -> Timestamp
  private let commits = CommitCalls()
  private let replays = CommitCalls()

  /// - Parameters:
  ///   - database: a store with ``MessagingMigrations``.
  ///   - retention: rows published longer ago are not published again in a new epoch, and may be purged.
  ///   - now: the wall clock.
  public init(
    database: SQLiteDatabase, retention: Duration = .seconds(168 * 3600),
    now: @escaping @Sendable () -> Timestamp = { Timestamp.now() }
  ) {
    self.database = database
    self.retention = retention
    self.now = now
  }

  /// Has `call` called after each commit that appended something, once however much that was: the relay's wake-up.
  /// Several calls may be added; they stay. They run on the writer's thread and must not block.
  public func onCommit(_ call: @escaping @Sendable () -> Void) {
    commits.add(call)
  }

  /// Has `call` called after each step of a replay is committed: published rows have become unpublished again.
  public func onReplay(_ call: @escaping @Sendable () -> Void) {
    replays.add(call)
  }

  func callAfterReplay(_ transaction: SQLiteTransaction) {
    transaction.afterCommit(once: replays) { [replays] in replays.callAll() }
  }

  public func append(_ message: OutboxMessage, in transaction: SQLiteTransaction) throws {
    try append(message, publishing: nil, in: transaction)
  }

  /// - Parameter deadLetterID: the dead letter that `message` publishes.
  func append(_ message: OutboxMessage, publishing deadLetterID: Int64?, in transaction: SQLiteTransaction) throws {
    let outgoing = message.message
    try transaction.execute(
      Self.insertion, now().millisecondsSinceEpoch, deadLetterID, message.eventID, message.eventType, outgoing.topic,
      outgoing.key, outgoing.packedHeaders.bytes, outgoing.value)
    try transaction.execute(Self.pending, transaction.lastInsertedRowID)
    transaction.afterCommit(once: commits) { [commits] in commits.callAll() }
  }

  // SQLite has one writer, and a transaction numbers its rows while it has the write lock: the order of the sequence is
  // the order of the commits.
  private static let insertion = PreparedSQL(
    """
    INSERT INTO outbox_messages
      (created_at, dead_letter_id, event_id, event_type, topic, message_key, headers, message_value)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    """)

  static let pending = PreparedSQL("INSERT INTO outbox_pending (sequence) VALUES (?)")
}

/// Who wants to know of commits.
private final class CommitCalls: Sendable {
  private let calls = Mutex<[@Sendable () -> Void]>([])

  func add(_ call: @escaping @Sendable () -> Void) {
    calls.withLock { $0.append(call) }
  }

  func callAll() {
    for call in calls.withLock({ $0 }) { call() }
  }
}

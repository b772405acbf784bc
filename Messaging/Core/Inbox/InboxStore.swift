/// What became of an event at a consumer group.
public enum InboxOutcome: String, Sendable, Hashable, CaseIterable {
  case processed
  /// Waits in the store for an earlier version of its key.
  case parked
  case deadLettered = "dead_lettered"
  case discarded
}

/// Where and when an event was handled.
public struct InboxEntry: Sendable, Hashable {
  public var identity: EventIdentity
  public var topicPartition: TopicPartition
  public var offset: Int64
  public var attempts: Int

  public init(identity: EventIdentity, topicPartition: TopicPartition, offset: Int64, attempts: Int) {
    self.identity = identity
    self.topicPartition = topicPartition
    self.offset = offset
    self.attempts = attempts
  }
}

/// A record that waits for an earlier version of its key.
public struct ParkedRecord: Sendable, Hashable {
  public var identity: EventIdentity
  public var record: ConsumedRecord

  public init(identity: EventIdentity, record: ConsumedRecord) {
    self.identity = identity
    self.record = record
  }
}

/// What the consumer worker needs of a store of one consumer group.
///
/// A batch of records is one transaction. Within it each record has a savepoint of its own: its dedup row, its
/// effect, its outgoing messages and its cursor stand or fall together.
public protocol InboxStore: Sendable {
  associatedtype Transaction

  /// Runs `body` in one transaction and returns when that is synced. Blocks the calling thread.
  ///
  /// - Throws: ``StoreUnavailable`` when nothing was written for reasons that pass; whatever `body` throws otherwise.
  func transact<Result: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Result) throws -> Result

  /// Runs `body` so that, when it throws, its writes and nothing else are undone.
  ///
  /// - Throws: what `body` throws; but ``StoreUnavailable`` where that was the store's own trouble (busy, full, I/O), or
  ///   where the writes could not be undone: then the whole transaction has to go.
  func savepoint<Result>(in transaction: Transaction, _ body: () throws -> Result) throws -> Result

  /// Claims an event for this group: true the first time, false when the group has a row for it, whatever came of it.
  func register(_ entry: InboxEntry, outcome: InboxOutcome, in transaction: Transaction) throws -> Bool

  /// A parked or dead-lettered event has been dealt with.
  func settle(_ entry: InboxEntry, outcome: InboxOutcome, in transaction: Transaction) throws

  /// The version of `key` that was handled last, 0 at the start.
  func cursor(of key: String, in transaction: Transaction) throws -> Int64
  func moveCursor(of key: String, to version: Int64, in transaction: Transaction) throws

  func park(_ parked: ParkedRecord, in transaction: Transaction) throws
  /// Takes the parked record of exactly this version out of the store.
  func takeParked(key: String, version: Int64, in transaction: Transaction) throws -> ParkedRecord?

  /// Keeps the dead letter as open, and publishes it to its topic through the outbox.
  ///
  /// - Returns: false, with nothing written, when this group has one with the same event id and redrives already.
  func keep(_ deadLetter: DeadLetter, in transaction: Transaction) throws -> Bool

  /// The next offset to read, per partition of a cluster; written in the batch's transaction.
  func storeNextOffsets(_ offsets: [TopicPartition: Int64], cluster: String, in transaction: Transaction) throws
  /// Blocks; a read of its own.
  func nextOffsets(cluster: String) throws -> [TopicPartition: Int64]
}

import WireFormat

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
  /// It was given up by people while versions before it were missing: it takes its place in its turn, without an effect.
  public var isDiscarded: Bool
  /// How many attempts have failed since it became the next of its key.
  public var attempts: Int

  public init(identity: EventIdentity, record: ConsumedRecord, isDiscarded: Bool = false, attempts: Int = 0) {
    self.identity = identity
    self.record = record
    self.isDiscarded = isDiscarded
    self.attempts = attempts
  }
}

/// Keys at which a parked record has become the next.
public struct ReadyParked: Sendable, Hashable {
  public var keys: [String]
  /// Until a record that has failed in its turn is due again; nil where none is known.
  public var nextIn: Duration?

  public init(keys: [String], nextIn: Duration?) {
    self.keys = keys
    self.nextIn = nextIn
  }
}

/// How an inbox stands.
public struct InboxSummary: Sendable, Hashable {
  public var openDeadLetters: Int
  public var parkedRecords: Int
  /// Keys that wait for a version that has never come, and no dead letter tells why.
  public var gaps: Int
  /// Since when the record waits that has waited for the longest time behind such a gap.
  public var oldestGap: Timestamp?

  public init(openDeadLetters: Int = 0, parkedRecords: Int = 0, gaps: Int = 0, oldestGap: Timestamp? = nil) {
    self.openDeadLetters = openDeadLetters
    self.parkedRecords = parkedRecords
    self.gaps = gaps
    self.oldestGap = oldestGap
  }
}

/// What the consumer worker needs of a store of one consumer group.
///
/// A batch of records is one transaction. Within it a record that fails is undone by a savepoint: its dedup row, its
/// effect, its outgoing messages and its cursor stand or fall together.
public protocol InboxStore: Sendable {
  associatedtype Transaction

  /// Runs `body` in one transaction and returns when that is synced. Blocks the calling thread.
  ///
  /// - Parameters:
  ///   - isRepeatable: `body` may run a second time, after everything that it has written was undone. The first time its
  ///     savepoints may be none, which costs less: what throws inside of one then ends the run.
  ///   - meanwhile: what the calling thread does before it waits; at most once.
  /// - Throws: ``StoreUnavailable`` when nothing was written for reasons that pass; whatever `body` throws otherwise.
  func transact<Result: Sendable>(
    isRepeatable: Bool, _ body: @escaping @Sendable (Transaction) throws -> Result, meanwhile: () -> Void
  ) throws -> Result

  /// Runs `body` so that, when it throws, its writes and nothing else are undone.
  ///
  /// - Throws: what `body` throws; but ``StoreUnavailable`` where that was the store's own trouble (busy, full, I/O), or
  ///   where the writes could not be undone alone: then the whole transaction has to go.
  func savepoint<Result>(in transaction: Transaction, _ body: () throws -> Result) throws -> Result

  /// Claims an event for this group: true the first time, false when the group has a row for it, whatever came of it.
  func register(_ entry: InboxEntry, outcome: InboxOutcome, in transaction: Transaction) throws -> Bool

  /// Takes back what ``register(_:outcome:in:)`` has written in this transaction.
  func unregister(_ eventID: String, in transaction: Transaction) throws

  /// What became of an event; nil where this group has no row for it.
  func outcome(ofEvent eventID: String, in transaction: Transaction) throws -> InboxOutcome?

  /// Writes what became of an event, whether there is a row for it or not.
  func settle(_ entry: InboxEntry, outcome: InboxOutcome, in transaction: Transaction) throws

  /// The version of `key` that was handled last, 0 at the start.
  func cursor(of key: String, in transaction: Transaction) throws -> Int64
  /// A cursor never goes back.
  func moveCursor(of key: String, to version: Int64, in transaction: Transaction) throws
  /// Moves the cursor of `key` to `version` where it stands right before.
  ///
  /// - Returns: whether it did.
  func advanceCursor(of key: String, to version: Int64, in transaction: Transaction) throws -> Bool

  func park(_ parked: ParkedRecord, in transaction: Transaction) throws
  /// Takes the parked record of exactly this version out of the store.
  func takeParked(key: String, version: Int64, in transaction: Transaction) throws -> ParkedRecord?

  /// A parked event was taken in its turn and failed: its attempts count, and it rests until `moment`.
  func postpone(_ entry: InboxEntry, until moment: Timestamp, error: String, in transaction: Transaction) throws
  /// Keys whose next version is parked and does not rest, at most `limit`, and when the next of those that rest is due.
  /// Blocks; a read of its own.
  func readyParked(limit: Int) throws -> ReadyParked
  /// Whether anything is parked, under whatever key.
  func hasParked(in transaction: Transaction) throws -> Bool
  /// The lowest version that is parked under `key`; nil where nothing is.
  func firstParkedVersion(of key: String, in transaction: Transaction) throws -> Int64?

  /// Keeps the dead letter as open, and publishes it to its topic through the outbox.
  ///
  /// - Returns: false, with nothing written, when this group has one with the same event id already.
  func keep(_ deadLetter: DeadLetter, in transaction: Transaction) throws -> Bool
  func deadLetter(_ id: Int64, in transaction: Transaction) throws -> KeptDeadLetter?
  /// The same by the event's id.
  func deadLetter(ofEvent eventID: String, in transaction: Transaction) throws -> KeptDeadLetter?
  /// The open dead letter with the lowest version in `versions` of `key`.
  func openDeadLetter(
    ofKey key: String, versions: ClosedRange<Int64>, in transaction: Transaction
  ) throws -> KeptDeadLetter?
  /// The event has become a dead letter again: it is open with what `letter` says, and published anew. The record stays.
  func renew(_ id: Int64, as letter: DeadLetter, in transaction: Transaction) throws
  /// The dead letter is resolved or discarded from now on.
  func close(_ id: Int64, as status: DeadLetterStatus, reason: String?, in transaction: Transaction) throws
  func record(_ audit: DeadLetterAudit, in transaction: Transaction) throws

  /// Says what is at hand from now on, nil for nothing. Called inside a transaction only, at every record: it costs no
  /// commit, and survives the death of the process.
  func hasAtHand(_ subject: HandlingSubject?)
  /// Counts what processes that use this store had at hand when they died, once for each. One that is merely stopped is
  /// not dead. Blocks; a transaction of its own where there is something to count.
  func collectDeaths() throws -> [HandlingDeath]
  func crashedAttempts(in transaction: Transaction) throws -> CrashedAttempts
  func forgetDeaths(of subject: HandlingSubject, in transaction: Transaction) throws

  /// For the gauges. Blocks; a read of its own.
  func backlog() throws -> InboxSummary

  /// The next offset to read, per partition of a cluster; written in the batch's transaction.
  func storeNextOffsets(_ offsets: [TopicPartition: Int64], cluster: String, in transaction: Transaction) throws
  /// Blocks; a read of its own.
  func nextOffsets(cluster: String) throws -> [TopicPartition: Int64]
}

extension InboxStore {
  /// The same with nothing to do meanwhile.
  public func transact<Result: Sendable>(
    isRepeatable: Bool = false, _ body: @escaping @Sendable (Transaction) throws -> Result
  ) throws -> Result {
    try transact(isRepeatable: isRepeatable, body, meanwhile: {})
  }
}

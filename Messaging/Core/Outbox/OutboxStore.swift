/// A message that waits in an outbox for its publication.
public struct OutboxMessage: Sendable, Hashable {
  public var eventID: String
  public var eventType: String
  public var message: OutgoingMessage

  public init(eventID: String, eventType: String, message: OutgoingMessage) {
    self.eventID = eventID
    self.eventType = eventType
    self.message = message
  }
}

/// A row of the outbox.
public struct OutboxRow: Sendable, Hashable {
  /// Counts up in the order of the commits; never used twice.
  public var sequence: Int64
  public var message: OutgoingMessage

  public init(sequence: Int64, message: OutgoingMessage) {
    self.sequence = sequence
    self.message = message
  }
}

/// Writes messages into the transaction that changes the state they tell of.
public protocol OutboxWriter: Sendable {
  associatedtype Transaction

  /// Adds `message` to the outbox. It is published at least once if `transaction` commits, and never if it does not;
  /// messages with the same key are first published in the order in which they were appended.
  func append(_ message: OutboxMessage, in transaction: Transaction) throws
}

/// The right to publish from one store. At most one is valid at a time: each grant has a higher `token`, and
/// whatever carries an older token is refused.
public struct RelayLease: Sendable, Hashable {
  public var token: Int64
  /// Goes up when everything within retention has to be published again.
  public var publishEpoch: Int64

  public init(token: Int64, publishEpoch: Int64) {
    self.token = token
    self.publishEpoch = publishEpoch
  }
}

/// Who holds a lease: a process is recognised as gone by its id and the time it was started at.
public struct LeaseHolder: Sendable, Hashable {
  public var name: String
  public var processID: Int32
  public var processStartedAt: Int64

  public init(name: String, processID: Int32, processStartedAt: Int64) {
    self.name = name
    self.processID = processID
    self.processStartedAt = processStartedAt
  }
}

/// What the store remembers of the broker that it published to.
public struct PublicationState: Sendable, Hashable {
  public var clusterID: String?
  /// The highest offset that was acknowledged, per partition, in the present epoch.
  public var highestAcknowledged: [TopicPartition: Int64]
  /// Whether everything that the present epoch has to publish again is unpublished
  /// (``OutboxStore/continueEpoch(lease:limit:)``).
  public var isEpochReady: Bool

  public init(clusterID: String?, highestAcknowledged: [TopicPartition: Int64], isEpochReady: Bool = true) {
    self.clusterID = clusterID
    self.highestAcknowledged = highestAcknowledged
    self.isEpochReady = isEpochReady
  }
}

/// One step on the way to an epoch that is ready.
public struct EpochStep: Sendable, Hashable {
  /// How many rows became unpublished.
  public var rows: Int
  /// Whether this was the last step.
  public var isReady: Bool

  public init(rows: Int, isReady: Bool) {
    self.rows = rows
    self.isReady = isReady
  }
}

/// An acknowledged row.
public struct PublicationReceipt: Sendable, Hashable {
  public var sequence: Int64
  public var position: RecordPosition

  public init(sequence: Int64, position: RecordPosition) {
    self.sequence = sequence
    self.position = position
  }
}

/// The lease was lost to another relay, or the epoch has moved on.
public struct LeaseLost: Error, Sendable, Hashable {
  public init() {}
}

/// What the relay needs of a store. Every call is one synced transaction of its own, and blocks, but for one.
public protocol OutboxStore: Sendable {
  /// Grants the lease when it is free, expired, or held by a process that is gone; nil while somebody has it.
  func acquireLease(for holder: LeaseHolder, duration: Duration) throws -> RelayLease?

  /// - Throws: ``LeaseLost``
  func renewLease(_ lease: RelayLease, duration: Duration) throws

  /// Gives the lease back, so that another relay can take it at once. Nothing happens when it was lost before.
  func releaseLease(_ lease: RelayLease) throws

  /// Rows not published yet, in sequence order. `after` only bounds the search: what waits is what the store says.
  func unpublished(after sequence: Int64, limit: Int) throws -> [OutboxRow]

  /// Marks rows published, all in one transaction, and remembers the highest offset of each partition.
  ///
  /// - Throws: ``LeaseLost`` without a mark when `lease` is not the present one or its epoch has passed.
  func markPublished(_ receipts: [PublicationReceipt], lease: RelayLease) throws

  /// The same without blocking. Marks are made in the order in which they were asked for, and before whatever is asked
  /// for later.
  ///
  /// - Parameter answer: called once, from whatever thread; must not block.
  func markPublished(
    _ receipts: [PublicationReceipt], lease: RelayLease, answer: @escaping @Sendable (Result<Void, any Error>) -> Void)

  func publicationState() throws -> PublicationState

  /// How many rows are not published yet, for the gauge; nil where the store cannot say cheaply.
  func unpublishedCount() throws -> Int?

  /// Binds the store to a cluster that it has not published to before: remembers `clusterID`, nothing else.
  func bind(toCluster clusterID: String, lease: RelayLease) throws

  /// The broker has lost what was published: raises the epoch and forgets the acknowledged offsets. The epoch is not
  /// ready: nothing may be published before ``continueEpoch(lease:limit:)`` says that it is, also after a restart.
  ///
  /// - Returns: the lease of the new epoch.
  /// - Throws: ``LeaseLost``
  func beginEpoch(clusterID: String, lease: RelayLease) throws -> RelayLease

  /// Makes rows within retention unpublished again (of dead letters only those still open), in the order of their
  /// sequence from where the last step ended. So other writes wait for a step, and not for all of the outbox.
  ///
  /// - Parameter limit: how many rows to look at.
  /// - Throws: ``LeaseLost``
  func continueEpoch(lease: RelayLease, limit: Int) throws -> EpochStep
}

extension OutboxStore {
  public func unpublishedCount() throws -> Int? { nil }
}

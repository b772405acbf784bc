/// The seam between this package and a broker: `KafkaBroker` talks to Apache Kafka (or to the embedded broker),
/// `InMemoryBroker` is a log in this process. One contract suite runs over every implementation.
public protocol Broker: Sendable {
  /// A producer with the guarantees the relay relies on: idempotent, `acks=all`.
  func makeProducer() throws -> any MessageProducer

  /// A member of `group` subscribed to `topics`. Joining happens in ``MessageConsumer/poll(maximum:timeout:)``.
  func makeConsumer(group: String, topics: [String], listener: any PartitionListener) throws -> any MessageConsumer

  /// Cluster metadata, topics and offsets, over a connection of its own.
  func makeAdmin() throws -> any BrokerAdmin
}

/// Hands messages to a broker and reports what became of each.
///
/// Threads: every member may be called from any thread; ``deliveries(timeout:)`` by one thread at a time.
public protocol MessageProducer: Sendable {
  /// Hands `messages` over in order without blocking. Each accepted message gets exactly one report from
  /// ``deliveries(timeout:)``, which carries the token it was enqueued with.
  ///
  /// - Returns: how many were accepted, counted from the front. Fewer than given means that the client's queue is
  ///   full: offer the rest again after the next reports.
  /// - Throws: ``BrokerError`` when the producer can never send again (``BrokerError/isFatal``). A message that
  ///   alone is impossible (larger than the topic takes) is accepted and reported as failed.
  func enqueue(_ messages: [(token: UInt64, message: OutgoingMessage)]) throws -> Int

  /// Lets the producer find out where the partitions of `topics` are, so that their first messages do not wait for it.
  /// Never blocks. Only for topics that are there: a broker may make one that it is asked about.
  func prepare(for topics: [String])

  /// Blocks the calling thread until a report is there, ``wake()`` is called, or `timeout` has passed, and returns
  /// all reports there are (none after a wake or a timeout).
  func deliveries(timeout: Duration) -> [DeliveryReport]

  /// Makes a ``deliveries(timeout:)`` that is blocked, or the next one, return at once. Never lost, never blocks.
  func wake()

  /// Waits up to `timeout` for what is in flight, then frees the client. Reports that have not been fetched are lost.
  func close(timeout: Duration)
}

extension MessageProducer {
  public func prepare(for topics: [String]) {}
}

/// What became of one message.
public struct DeliveryReport: Sendable {
  public var token: UInt64
  public var result: Result<RecordPosition, BrokerError>

  public init(token: UInt64, result: Result<RecordPosition, BrokerError>) {
    self.token = token
    self.result = result
  }
}

/// Where a record lies.
public struct RecordPosition: Sendable, Hashable {
  public var topicPartition: TopicPartition
  /// Nil where the broker acknowledged without naming the offset (a duplicate that it dropped).
  public var offset: Int64?

  public init(topicPartition: TopicPartition, offset: Int64?) {
    self.topicPartition = topicPartition
    self.offset = offset
  }
}

/// A member of a consumer group.
///
/// Threads: ``poll(maximum:timeout:)``, ``takeFetched(maximum:)``, ``pause(_:)``, ``resume(_:)``, ``seek(_:to:)`` and
/// ``close()`` belong to one thread, the one that polls; `PartitionListener` is called on it, inside `poll` or `close`
/// and nowhere else. So between two polls nothing is assigned or taken away. ``wake()`` and ``status()`` may be called
/// from anywhere.
public protocol MessageConsumer: Sendable {
  /// Blocks until a record is there, ``wake()`` is called, or `timeout` has passed; returns what is there, at most
  /// `maximum` records, each partition's in order. Serves rebalances on the way.
  ///
  /// - Throws: ``BrokerError`` only when this consumer can never poll again. Passing troubles (no broker, unknown
  ///   topic) are logged and waited out.
  func poll(maximum: Int, timeout: Duration) throws -> [ConsumedRecord]

  /// Records that have been fetched already, at most `maximum`, after those of the last poll. Neither waits nor serves a
  /// rebalance: to be called while the thread has something else to wait for. What has gone wrong is told by the next poll.
  func takeFetched(maximum: Int) -> [ConsumedRecord]

  /// Marks everything before `next` as handled; committed to the group in the background, and before a partition is
  /// given up. A partition that is no longer assigned is skipped silently: its new owner starts where we stopped.
  func store(next: [TopicPartition: Int64])

  /// Stops and starts fetching; polling goes on, so the member stays in its group.
  func pause(_ partitions: Set<TopicPartition>)
  func resume(_ partitions: Set<TopicPartition>)

  /// Continues reading `partition` at `offset`. What had been fetched beyond is dropped.
  func seek(_ partition: TopicPartition, to offset: Int64) throws

  func wake()

  /// What the member has: assignment, position, committed offset, log end.
  func status() -> ConsumerStatus

  /// Commits what was stored, leaves the group and frees the client.
  func close()
}

/// Is told of partitions that come and go, on the polling thread.
public protocol PartitionListener: Sendable {
  /// Partitions were assigned. Returns where to start each; a partition that is left out starts at the group's
  /// committed offset, or at the earliest record where there is none.
  /// `committed` has nil for a partition for which the group has never committed.
  func assigned(_ partitions: [TopicPartition: CommittedState]) -> [TopicPartition: StartOffset]

  /// Partitions go to somebody else. What was stored is committed right after this returns.
  /// With `lost` they are somebody else's already.
  func revoked(_ partitions: Set<TopicPartition>, lost: Bool)
}

/// What the broker knows of a partition for a group at the moment of its assignment.
public struct CommittedState: Sendable, Hashable {
  public var committed: Int64?
  public var logStart: Int64
  public var logEnd: Int64
  public var clusterID: String

  public init(committed: Int64?, logStart: Int64, logEnd: Int64, clusterID: String) {
    self.committed = committed
    self.logStart = logStart
    self.logEnd = logEnd
    self.clusterID = clusterID
  }
}

public enum StartOffset: Sendable, Hashable {
  case earliest
  case offset(Int64)
}

/// A snapshot of one group member.
public struct ConsumerStatus: Sendable {
  public struct Partition: Sendable {
    public var topicPartition: TopicPartition
    /// The next offset that a poll, or ``MessageConsumer/takeFetched(maximum:)``, will return.
    public var position: Int64?
    public var committed: Int64?
    public var logEnd: Int64?
    public var isPaused: Bool
    /// Records between the committed offset and the log's end.
    public var lag: Int64? {
      guard let logEnd else { return nil }
      return max(0, logEnd - (committed ?? 0))
    }

    public init(
      topicPartition: TopicPartition, position: Int64?, committed: Int64?, logEnd: Int64?, isPaused: Bool
    ) {
      self.topicPartition = topicPartition
      self.position = position
      self.committed = committed
      self.logEnd = logEnd
      self.isPaused = isPaused
    }
  }

  public var group: String
  public var memberID: String?
  /// Nil until the group has given this member its first assignment, which may be empty.
  public var assignment: [Partition]?
  /// The last trouble with the broker, nil when there is none now.
  public var trouble: String?

  public init(group: String, memberID: String?, assignment: [Partition]?, trouble: String?) {
    self.group = group
    self.memberID = memberID
    self.assignment = assignment
    self.trouble = trouble
  }
}

/// How an ``OutboxRelay`` works. The defaults are right for a service and Apache Kafka.
public struct OutboxRelayConfiguration: Sendable {
  /// How long the right to publish lasts without being renewed; renewed at a third of that.
  public var leaseDuration: Duration = .seconds(3)

  /// The most rows that are in memory at a time: read, and not yet acknowledged.
  public var maximumRows = 2_000
  /// The rows that are acknowledged and not yet marked published at which reading ahead stops. A quarter of it is marked
  /// in one transaction at most; where that many have gathered, without regard to `markInterval`, while further rows are
  /// published.
  public var maximumUnmarkedRows = 8_000
  /// The most bytes of messages that are in memory at a time. A single larger message passes alone.
  public var maximumBytes = 16 << 20
  /// The most rows of one key that are in memory. Further ones stay in the store until it is their turn, so that one
  /// key that cannot be published does not fill the memory that all share.
  public var maximumRowsPerKey = 100
  /// The most rows that are read from the store at a time.
  public var pageSize = 500
  /// After a broker's loss: the most rows that are made unpublished again at a time. The store's other writes wait for
  /// that long, some ten milliseconds.
  public var epochStepSize = 2_000

  /// Marks are a commit of the store's: made at most this often, so that they do not compete with what they are about.
  /// The first is made at once. What is acknowledged and not marked when the process dies is published again.
  public var markInterval: Duration = .milliseconds(20)
  /// The pause after which the store is looked at without having been woken: a safety net.
  public var slowPoll: Duration = .seconds(1)
  /// The pauses between the attempts to publish a row, to get the lease and to reach the broker. Rows are retried for
  /// ever: `maxAttempts` plays no part.
  public var retry = RetryPolicy()
  /// The pause before a row is tried again that the broker has refused for good (too large, no such topic): somebody has
  /// to change something first.
  public var refusedRowRetry: Duration = .seconds(30)
  /// The rows of a partition that has not acknowledged any for this long no longer count against `maximumRows`, and at
  /// most a quarter of it is kept of them: a dead leader stops its partitions, and not the table.
  public var stuckAfter: Duration = .seconds(5)

  /// The topics that will be published to, as far as they are known beforehand: the producer is told of those that are
  /// there. A topic that it hears of with the first row keeps that row waiting for up to a second.
  public var topics: [String] = []

  /// How often the broker is compared with what the store remembers of it, beside the times when there is a reason.
  public var inspectionInterval: Duration = .seconds(30)
  /// The longest wait for one answer of the broker's administration. Below a third of the lease, or the lease is lost
  /// while waiting.
  public var brokerTimeout: Duration = .milliseconds(900)
  /// How long a graceful shutdown waits for what is in flight. Short: a service has ten seconds for its whole end, and
  /// what is not acknowledged by then is published after the next start.
  public var drainTimeout: Duration = .seconds(2)

  /// For a broker that drops what it has no room for (the embedded one): the most bytes that may lie on a partition
  /// beyond the committed offset of the slowest of `consumerGroups`. Nil: no limit, as Apache Kafka needs none.
  public var maxUnconsumedBytesPerPartition: Int?
  /// Who reads a topic, for `maxUnconsumedBytesPerPartition`.
  public var consumerGroups: [String: [String]] = [:]

  /// Where the jitter of the retries comes from; nil for a seed that nobody knows.
  public var seed: UInt64?
  /// The time; a manual clock drives the relay in tests.
  public var clocks: Clocks = .system

  public init() {}
}

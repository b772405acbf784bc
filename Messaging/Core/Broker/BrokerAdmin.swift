/// Topics and offsets. Calls block the calling thread up to `timeout`; never call them from a cooperative thread.
public protocol BrokerAdmin: Sendable {
  /// The cluster's id, which changes when a broker comes back without its data.
  func clusterID(timeout: Duration) throws -> String

  /// Every topic with its number of partitions. Asking never creates a topic.
  func topics(timeout: Duration) throws -> [String: Int]

  /// Creates what is missing; a topic that is there already is left as it is.
  ///
  /// - Throws: ``BrokerError`` with ``BrokerError/Kind/unsupported`` where the broker cannot create topics.
  func createTopics(_ topics: [TopicSpecification], timeout: Duration) throws

  /// The first offset a partition still has, and the one that its next record will get.
  func watermarks(of partition: TopicPartition, timeout: Duration) throws -> (start: Int64, end: Int64)

  /// A group's committed offsets; a partition without one is left out.
  func committed(
    group: String, partitions: [TopicPartition], timeout: Duration
  ) throws -> [TopicPartition: Int64]

  func close()
}

/// How a topic is to be.
public struct TopicSpecification: Sendable, Hashable {
  public var name: String
  public var partitions: Int
  public var replicationFactor: Int
  /// Kafka's topic configuration, by its own names: `retention.ms`, `cleanup.policy`, ...
  public var configuration: [String: String]

  public init(name: String, partitions: Int, replicationFactor: Int, configuration: [String: String] = [:]) {
    self.name = name
    self.partitions = partitions
    self.replicationFactor = replicationFactor
    self.configuration = configuration
  }
}

/// A broker's or its client's refusal, in Kafka's words, and what it means for the caller.
public struct BrokerError: Error, Sendable, Hashable, CustomStringConvertible {
  public enum Kind: Sendable, Hashable {
    /// Trying the same again can help: no broker reachable, a leader election, a timeout.
    case retriable
    /// This client instance can do nothing any more; make a new one.
    case fatal
    /// The broker does not know how to do this.
    case unsupported
    /// This request can never succeed: too large, not authorized, no such topic.
    case permanent
  }

  public var kind: Kind
  /// Kafka's name of the error, `_MSG_TIMED_OUT` or `TOPIC_ALREADY_EXISTS`.
  public var name: String
  public var detail: String

  public init(kind: Kind, name: String, detail: String) {
    self.kind = kind
    self.name = name
    self.detail = detail
  }

  public var isRetriable: Bool { kind == .retriable }
  public var isFatal: Bool { kind == .fatal }
  public var description: String { "\(name): \(detail)" }
}

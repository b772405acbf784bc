internal import CRDKafka
import Logging
import Messaging
import Synchronization

/// A Kafka cluster inside this process: librdkafka's mock cluster, on 127.0.0.1 and ports of its choice.
///
/// It speaks the real protocol to any client, also to other processes. For development and tests: in memory, at most
/// 5 MiB a partition (the oldest records go first, without a word), no creation of topics over the protocol, no
/// listing of groups, no offsets by time. The first member of a group waits 3 seconds for others.
///
/// A group's members are named by the address of a heap block, so a name is given again after its member has timed out.
/// When that one wakes and joins under it while the new owner does, the mock ends the process (2.0.2, an assertion in
/// `rd_kafka_mock_cgrp_member_add`): several members of a group, and one that stands still for longer than its session.
///
/// Threads: any.
public final class EmbeddedBroker: Sendable {
  /// `host:port` of each broker, with commas between.
  public let bootstrapServers: String
  private let live: Mutex<MockCluster?>
  private let replicationFactor: Int32

  /// - Parameters:
  ///   - brokers: how many; they are numbered from 1.
  ///   - topics: names and numbers of partitions.
  /// - Throws: ``BrokerError`` when no port can be had, or a topic cannot be.
  public init(brokers: Int = 1, topics: [(String, Int)] = []) throws {
    let cluster = try MockCluster(brokers: brokers)
    bootstrapServers = cluster.bootstrapServers
    replicationFactor = Int32(min(max(1, brokers), 3))
    live = Mutex(cluster)
    for (name, partitions) in topics {
      try createTopic(name, partitions: partitions)
    }
  }

  /// Makes a topic; one that is there already is left as it is.
  public func createTopic(_ name: String, partitions: Int) throws {
    try cluster().withPointer { cluster throws(BrokerError) in
      let code = rd_kafka_mock_topic_create(cluster, name, Int32(clamping: partitions), replicationFactor)
      guard code.isFailure, code != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS else { return }
      throw BrokerError(code, detail: "creating \(name): \(code.explanation)")
    }
  }

  /// Stops everything; connections break, records are gone. A second call does nothing.
  public func close() {
    live.withLock { $0 = nil }
  }

  fileprivate func cluster() throws(BrokerError) -> MockCluster {
    guard let cluster = live.withLock({ $0 }) else { throw BrokerError.closed("embedded broker") }
    return cluster
  }
}

// MARK: - Faults

extension EmbeddedBroker {
  /// A request of Kafka's protocol, by its number.
  public struct Request: RawRepresentable, Sendable, Hashable {
    public var rawValue: Int16

    public init(rawValue: Int16) {
      self.rawValue = rawValue
    }

    public static let produce = Request(rawValue: 0)
    public static let fetch = Request(rawValue: 1)
    public static let listOffsets = Request(rawValue: 2)
    public static let metadata = Request(rawValue: 3)
    public static let offsetCommit = Request(rawValue: 8)
    public static let offsetFetch = Request(rawValue: 9)
    public static let findCoordinator = Request(rawValue: 10)
    public static let joinGroup = Request(rawValue: 11)
    public static let heartbeat = Request(rawValue: 12)
    public static let syncGroup = Request(rawValue: 14)
    public static let initProducerID = Request(rawValue: 22)
  }

  /// An answer to give instead of the right one: an error code of Kafka's protocol.
  public struct Fault: RawRepresentable, Sendable, Hashable {
    public var rawValue: Int32

    public init(rawValue: Int32) {
      self.rawValue = rawValue
    }

    /// The broker hangs up.
    public static let disconnect = Fault(rawValue: RD_KAFKA_RESP_ERR__TRANSPORT.rawValue)
    /// The next request is answered rightly.
    public static let none = Fault(rawValue: 0)
    public static let unknownTopic = Fault(rawValue: 3)
    public static let notLeader = Fault(rawValue: 6)
    public static let requestTimedOut = Fault(rawValue: 7)
    public static let messageTooLarge = Fault(rawValue: 10)
    public static let coordinatorNotAvailable = Fault(rawValue: 15)
    public static let notEnoughReplicas = Fault(rawValue: 19)
    public static let rebalanceInProgress = Fault(rawValue: 27)
    public static let topicAuthorizationFailed = Fault(rawValue: 29)
  }

  /// Cuts all connections of a broker and takes no new ones.
  ///
  /// - Parameter broker: its number; nil for all.
  public func setDown(broker: Int32? = nil) throws {
    try change { rd_kafka_mock_broker_set_down($0, broker ?? -1) }
  }

  /// Takes connections again; everything is still there.
  public func setUp(broker: Int32? = nil) throws {
    try change { rd_kafka_mock_broker_set_up($0, broker ?? -1) }
  }

  /// Delays every answer.
  public func setRoundTripTime(_ time: Duration, broker: Int32? = nil) throws {
    try change { rd_kafka_mock_broker_set_rtt($0, broker ?? -1, time.milliseconds) }
  }

  /// Makes another broker lead a partition; nil for none.
  public func setLeader(of partition: TopicPartition, to broker: Int32?) throws {
    try change { rd_kafka_mock_partition_set_leader($0, partition.topic, partition.partition, broker ?? -1) }
  }

  /// Answers the next requests of a kind with these errors, one each.
  public func pushErrors(_ faults: [Fault], for request: Request) throws {
    try change { cluster in
      let codes = faults.map { rd_kafka_resp_err_t(rawValue: $0.rawValue) }
      rd_kafka_mock_push_request_errors_array(cluster, request.rawValue, codes.count, codes)
      return RD_KAFKA_RESP_ERR_NO_ERROR
    }
  }

  /// Answers every question about a topic with an error, ``Fault/unknownTopic`` as if it were not there; nil for the
  /// truth again.
  public func setError(_ fault: Fault?, ofTopic topic: String) throws {
    try change { cluster in
      rd_kafka_mock_topic_set_error(cluster, topic, rd_kafka_resp_err_t(rawValue: fault?.rawValue ?? 0))
      return RD_KAFKA_RESP_ERR_NO_ERROR
    }
  }

  /// Forgets the errors that were pushed and not used.
  public func clearErrors(for request: Request) throws {
    try change { cluster in
      rd_kafka_mock_clear_request_errors(cluster, request.rawValue)
      return RD_KAFKA_RESP_ERR_NO_ERROR
    }
  }

  private func change(_ body: (OpaquePointer) -> rd_kafka_resp_err_t) throws(BrokerError) {
    let code = try cluster().withPointer { body($0) }
    guard !code.isFailure else { throw BrokerError(code) }
  }
}

/// Owns a `rd_kafka_mock_cluster_t` and the client that it lives in.
///
/// Sendable, because the mock hands every call over to its own thread.
private final class MockCluster: @unchecked Sendable {
  let bootstrapServers: String
  private let host: Client
  private let pointer: OpaquePointer

  init(brokers: Int) throws {
    // What the cluster has to say about its clients is in the clients' own logs.
    let log = ClientLog(logger: Logger(label: "kafka.embedded"), isQuiet: true)
    // The cluster takes this for its side of each connection. As Kafka's own, it sends an answer at once: where one stays
    // behind another that the client has not acknowledged, it would stay there for the client's 40 ms.
    let sendsAtOnce = ClientProperty("socket.nagle.disable", "true")
    host = try Client(.producer, properties: [ClientProperty("client.id", "embedded-broker"), sendsAtOnce], log: log)
    let made = host.withPointer { rd_kafka_mock_cluster_new($0, Int32(clamping: max(1, brokers))) }
    guard let made else {
      throw BrokerError(kind: .permanent, name: "_FAIL", detail: "the embedded broker got no port to listen on")
    }
    pointer = made
    bootstrapServers = rd_kafka_mock_cluster_bootstraps(made).map { String(cString: $0) } ?? ""
  }

  func withPointer<Result, Failure: Error>(
    _ body: (OpaquePointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { extendLifetime(self) }
    return try body(pointer)
  }

  deinit {
    rd_kafka_mock_cluster_destroy(pointer)
  }
}

internal import CRDKafka
import Logging
import Messaging
import Synchronization

/// Topics, groups and offsets of a Kafka cluster.
///
/// Threads: any, several at a time. Every call blocks its thread up to `timeout`, and a second beyond where the answer
/// is on its way. No question creates a topic.
/// Errors: ``BrokerError``; ``BrokerError/Kind/unsupported`` where the broker does not know the request, as the
/// embedded one does not know most.
public final class KafkaAdmin: BrokerAdmin {
  /// Nil once closed. Whoever calls the client holds a reference, so it is freed after the last call has returned.
  private let live: Mutex<Client?>
  /// Topics that were there when last seen, with their number of partitions.
  private let seen = Mutex<[String: Int]>([:])
  /// One for each group that was asked about.
  private let groupClients = Mutex<[String: Client]>([:])
  private let configuration: KafkaConfiguration
  private let logger: Logger

  init(configuration: KafkaConfiguration, logger: Logger) throws {
    var logger = logger
    logger[metadataKey: "client"] = "admin"
    self.configuration = configuration
    self.logger = logger
    let properties = try configuration.adminProperties()
    live = Mutex(try Client(properties.role, properties: properties.properties, log: ClientLog(logger: logger)))
  }

  /// The cluster's id as a broker names it now: it is asked each time.
  public func clusterID(timeout: Duration) throws -> String {
    let client = try client()
    let deadline = Deadline(after: timeout)
    try client.withMetadata(allTopics: false, timeout: timeout) { _ in }
    return try client.clusterID(timeout: deadline.remaining)
  }

  /// Every topic with its number of partitions, Kafka's own (`__consumer_offsets`) included.
  public func topics(timeout: Duration) throws -> [String: Int] {
    try metadata(timeout: timeout).mapValues(\.count)
  }

  public func watermarks(of partition: TopicPartition, timeout: Duration) throws -> (start: Int64, end: Int64) {
    let deadline = Deadline(after: timeout)
    try requirePartition(partition, timeout: timeout)
    return try client().watermarks(of: partition, timeout: deadline.remaining)
  }

  /// A broker that is asked about a topic by its name may create it: old ones, and the embedded one, whatever the
  /// request says.
  private func requirePartition(_ partition: TopicPartition, timeout: Duration) throws {
    func isThere(_ topics: [String: Int]) -> Bool {
      (0..<(topics[partition.topic] ?? 0)).contains(Int(partition.partition))
    }
    guard !seen.withLock({ isThere($0) }) else { return }
    guard isThere(try topics(timeout: timeout)) else {
      throw BrokerError(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, detail: "there is no \(partition)")
    }
  }

  public func close() {
    live.withLock { $0 = nil }
    groupClients.withLock { $0 = [:] }
  }

  func client() throws(BrokerError) -> Client {
    guard let client = live.withLock({ $0 }) else { throw BrokerError.closed("admin client") }
    return client
  }

  /// A client that bears a group's name, and never joins it.
  func client(of group: String) throws -> Client {
    _ = try client()
    return try groupClients.withLock { clients in
      if let client = clients[group] { return client }
      var logger = logger
      logger[metadataKey: "group"] = "\(group)"
      let properties = try configuration.groupProperties(group: group)
      let client = try Client(properties.role, properties: properties.properties, log: ClientLog(logger: logger))
      clients[group] = client
      return client
    }
  }

  /// The partitions of every topic that the cluster has, without where they begin and end.
  func metadata(timeout: Duration) throws -> [String: [TopicDescription.Partition]] {
    let topics = try client().withMetadata(allTopics: true, timeout: timeout) { metadata in
      var topics: [String: [TopicDescription.Partition]] = [:]
      for index in 0..<Int(metadata.topic_cnt) {
        let topic = metadata.topics[index]
        guard topic.err != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART else { continue }
        topics[String(cString: topic.topic)] = (0..<Int(topic.partition_cnt))
          .map { TopicDescription.Partition(topic.partitions[$0]) }
          .sorted { $0.id < $1.id }
      }
      return topics
    }
    seen.withLock { $0 = topics.mapValues(\.count) }
    return topics
  }

  /// Changes to topics, and questions about their settings, are the controller's. The embedded broker names one that
  /// it does not have, for which librdkafka would wait until the timeout.
  ///
  /// - Throws: ``BrokerError`` of kind ``BrokerError/Kind/unsupported``.
  func requireController(timeout: Duration) throws {
    let client = try client()
    let brokers = try client.withMetadata(allTopics: false, timeout: timeout) { metadata in
      Set((0..<Int(metadata.broker_cnt)).map { metadata.brokers[$0].id })
    }
    let controller = client.withPointer { rd_kafka_controllerid($0, 0) }
    guard controller < 0 || brokers.contains(controller) else {
      throw BrokerError(
        RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE, detail: "this broker cannot create, change or delete topics")
    }
  }

  /// Sends an admin request and waits for its result.
  ///
  /// - Parameters:
  ///   - action: for the error's text: "creating topics".
  ///   - start: sends the request, for the answer to come on the queue.
  ///   - read: reads the answer, which is gone when it returns.
  func request<Result>(
    _ action: String, _ operation: rd_kafka_admin_op_t, timeout: Duration,
    start: (_ client: OpaquePointer, _ options: OpaquePointer?, _ queue: OpaquePointer) -> Void,
    read: (_ answer: OpaquePointer) throws -> Result
  ) throws -> Result {
    let queue = EventQueue(of: try client())
    queue.client.withPointer { client in
      let options = rd_kafka_AdminOptions_new(client, operation)
      defer { if let options { rd_kafka_AdminOptions_destroy(options) } }
      _ = withErrorText { rd_kafka_AdminOptions_set_request_timeout(options, max(1, timeout.milliseconds), $0, $1) }
      if operation == RD_KAFKA_ADMIN_OP_CREATETOPICS || operation == RD_KAFKA_ADMIN_OP_DELETETOPICS {
        _ = withErrorText { rd_kafka_AdminOptions_set_operation_timeout(options, timeout.milliseconds, $0, $1) }
      }
      queue.withPointer { start(client, options, $0) }
    }
    guard let answer = queue.poll(timeout: timeout + .seconds(1)) else {
      throw BrokerError(RD_KAFKA_RESP_ERR__TIMED_OUT, detail: "\(action): no answer within \(timeout)")
    }
    if var error = answer.error {
      error.detail = "\(action): \(error.detail)"
      throw error
    }
    return try answer.withPointer(read)
  }
}

/// The elements of an array that librdkafka hands out with its length beside it.
func elements(
  _ read: (UnsafeMutablePointer<Int>) -> UnsafeMutablePointer<OpaquePointer?>?
) -> [OpaquePointer] {
  var count = 0
  guard let start = read(&count) else { return [] }
  return (0..<count).compactMap { start[$0] }
}

internal import CRDKafka
import Logging
import Messaging

/// Owns one librdkafka client (`rd_kafka_t`) and frees it with the last reference.
///
/// A call on a freed client cannot happen: whoever may call holds a reference. Freeing does not close a group
/// membership; a consumer does that first.
///
/// Sendable, because librdkafka's clients are thread-safe; the pointer itself never changes.
final class Client: @unchecked Sendable {
  enum Role: Sendable {
    case producer
    case consumer
  }

  private let pointer: OpaquePointer
  /// librdkafka holds it unretained, see ``ClientLog/callback``.
  private let log: ClientLog

  /// - Throws: ``KafkaConfigurationError`` with the property that is unknown, has a bad value, or does not go with
  ///   the others.
  init(_ role: Role, properties: [ClientProperty], events: Int32 = 0, log: ClientLog) throws {
    let configuration = ClientConfiguration()
    for property in properties {
      try configuration.set(property)
    }
    configuration.setEvents(events)
    configuration.setLog(log)
    pointer = try configuration.makeClient(role)
    self.log = log
  }

  /// The pointer is good until `body` returns.
  func withPointer<Result, Failure: Error>(
    _ body: (OpaquePointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { extendLifetime(self) }
    return try body(pointer)
  }

  /// A call that takes the client and a list of partitions; both are good until `body` returns.
  func call<Result>(
    with list: borrowing PartitionList,
    _ body: (OpaquePointer, UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) -> Result
  ) -> Result {
    withPointer { client in list.withPointer { body(client, $0) } }
  }

  deinit {
    rd_kafka_destroy_flags(pointer, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE)
  }
}

extension Client {
  /// Asks a broker for its metadata and hands it to `body`, which must not keep it.
  ///
  /// - Parameter allTopics: with false only the brokers and the cluster are asked for. Neither creates a topic.
  func withMetadata<Result>(
    allTopics: Bool, timeout: Duration, _ body: (rd_kafka_metadata) throws -> Result
  ) throws -> Result {
    try withPointer { client in
      var metadata: UnsafePointer<rd_kafka_metadata>?
      let code = rd_kafka_metadata(client, allTopics ? 1 : 0, nil, &metadata, timeout.milliseconds)
      guard !code.isFailure, let metadata else {
        throw BrokerError(code, detail: "asking for metadata: \(code.explanation)")
      }
      defer { rd_kafka_metadata_destroy(metadata) }
      return try body(metadata.pointee)
    }
  }

  /// The cluster's id as the last metadata named it; asks when there was none yet.
  func clusterID(timeout: Duration) throws -> String {
    try withPointer { client in
      guard let identifier = rd_kafka_clusterid(client, timeout.milliseconds) else {
        throw BrokerError(RD_KAFKA_RESP_ERR__TIMED_OUT, detail: "no broker has named the cluster's id")
      }
      defer { rd_kafka_mem_free(client, identifier) }
      return String(cString: identifier)
    }
  }

  /// The first offset a partition still has, and the one that its next record will get.
  ///
  /// One partition a request: librdkafka's mock cluster answers a request for several wrongly.
  func watermarks(of partition: TopicPartition, timeout: Duration) throws -> (start: Int64, end: Int64) {
    try withPointer { client in
      var start: Int64 = 0
      var end: Int64 = 0
      let code = rd_kafka_query_watermark_offsets(
        client, partition.topic, partition.partition, &start, &end, timeout.milliseconds)
      guard !code.isFailure else {
        throw BrokerError(code, detail: "asking for the offsets of \(partition): \(code.explanation)")
      }
      return (start, end)
    }
  }

  /// What the last fetched batch said of a partition; no request.
  func cachedEnd(of partition: TopicPartition) -> Int64? {
    withPointer { client in
      var start: Int64 = 0
      var end: Int64 = 0
      let code = rd_kafka_get_watermark_offsets(client, partition.topic, partition.partition, &start, &end)
      return code.isFailure || end < 0 ? nil : end
    }
  }

  /// What the group of this client's `group.id` has committed; nil for a partition without.
  func committed(_ partitions: [TopicPartition], timeout: Duration) throws -> [TopicPartition: Int64?] {
    let list = PartitionList(partitions)
    let code = call(with: list) { rd_kafka_committed($0, $1, timeout.milliseconds) }
    guard !code.isFailure else {
      throw BrokerError(code, detail: "asking for committed offsets: \(code.explanation)")
    }
    return try list.entries.reduce(into: [:]) { result, entry in
      guard !entry.error.isFailure else {
        throw BrokerError(
          entry.error, detail: "the committed offset of \(entry.partition): \(entry.error.explanation)")
      }
      result.updateValue(entry.offset >= 0 ? entry.offset : nil, forKey: entry.partition)
    }
  }
}

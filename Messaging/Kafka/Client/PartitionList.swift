internal import CRDKafka
import Messaging

/// Owns a `rd_kafka_topic_partition_list_t`.
struct PartitionList: ~Copyable {
  struct Entry {
    var partition: TopicPartition
    var offset: Int64
    var error: rd_kafka_resp_err_t
  }

  private let pointer: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

  init(_ partitions: some Collection<TopicPartition>) {
    pointer = rd_kafka_topic_partition_list_new(Int32(clamping: partitions.count))
    for partition in partitions {
      rd_kafka_topic_partition_list_add(pointer, partition.topic, partition.partition)
    }
  }

  init(_ offsets: [TopicPartition: Int64]) {
    pointer = rd_kafka_topic_partition_list_new(Int32(clamping: offsets.count))
    for (partition, offset) in offsets {
      rd_kafka_topic_partition_list_add(pointer, partition.topic, partition.partition).pointee.offset = offset
    }
  }

  init(topics: [String]) {
    pointer = rd_kafka_topic_partition_list_new(Int32(clamping: topics.count))
    for topic in topics {
      rd_kafka_topic_partition_list_add(pointer, topic, RD_KAFKA_PARTITION_UA)
    }
  }

  /// The pointer is good until `body` returns.
  func withPointer<Result, Failure: Error>(
    _ body: (UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(pointer)
  }

  /// What is in it, with what a call has put there.
  var entries: [Entry] { Self.entries(of: pointer) }

  /// Reads any list, also one that librdkafka owns.
  static func entries(of list: UnsafePointer<rd_kafka_topic_partition_list_t>?) -> [Entry] {
    guard let list, let elements = list.pointee.elems else { return [] }
    return (0..<Int(list.pointee.cnt)).map { index in
      let element = elements[index]
      let topic = element.topic.map { String(cString: $0) } ?? ""
      return Entry(
        partition: TopicPartition(topic, element.partition), offset: element.offset, error: element.err)
    }
  }

  deinit {
    rd_kafka_topic_partition_list_destroy(pointer)
  }
}

/// A record header: a name, and bytes or null. Names may repeat; their order is kept.
public struct Header: Sendable, Hashable {
  public var name: String
  public var value: [UInt8]?

  public init(name: String, value: [UInt8]?) {
    self.name = name
    self.value = value
  }

  public init(_ name: String, _ value: String) {
    self.init(name: name, value: Array(value.utf8))
  }
}

/// A partition of a topic.
public struct TopicPartition: Sendable, Hashable, Comparable, CustomStringConvertible {
  public var topic: String
  public var partition: Int32

  public init(_ topic: String, _ partition: Int32) {
    self.topic = topic
    self.partition = partition
  }

  public static func < (left: TopicPartition, right: TopicPartition) -> Bool {
    (left.topic, left.partition) < (right.topic, right.partition)
  }

  public var description: String { "\(topic)[\(partition)]" }

  /// By its number alone: a process knows a few topics, and hashes a partition several times for each record.
  public func hash(into hasher: inout Hasher) { hasher.combine(partition) }
}

/// A message on its way to a topic. A null key and a null value (a tombstone) are legal, as in Kafka.
///
/// The partition is chosen by the producer's partitioner from the key; records without a key go anywhere.
public struct OutgoingMessage: Sendable, Hashable {
  public var topic: String
  public var key: [UInt8]?
  public var value: [UInt8]?
  public var packedHeaders: PackedHeaders

  public var headers: [Header] {
    get { packedHeaders.headers }
    set { packedHeaders = PackedHeaders(newValue) }
  }

  public init(topic: String, key: [UInt8]?, value: [UInt8]?, headers: [Header] = []) {
    self.init(topic: topic, key: key, value: value, packedHeaders: PackedHeaders(headers))
  }

  public init(topic: String, key: [UInt8]?, value: [UInt8]?, packedHeaders: PackedHeaders) {
    self.topic = topic
    self.key = key
    self.value = value
    self.packedHeaders = packedHeaders
  }
}

/// A record as a consumer got it: the exact bytes, and where they lie.
public struct ConsumedRecord: Sendable, Hashable {
  public var topicPartition: TopicPartition
  public var offset: Int64
  /// Milliseconds since 1970, as the broker states it; nil when the record has none.
  public var timestamp: Int64?
  public var key: [UInt8]?
  public var value: [UInt8]?
  public var packedHeaders: PackedHeaders

  public var headers: [Header] {
    get { packedHeaders.headers }
    set { packedHeaders = PackedHeaders(newValue) }
  }

  public init(
    topicPartition: TopicPartition, offset: Int64, timestamp: Int64? = nil, key: [UInt8]?, value: [UInt8]?,
    headers: [Header] = []
  ) {
    self.init(
      topicPartition: topicPartition, offset: offset, timestamp: timestamp, key: key, value: value,
      packedHeaders: PackedHeaders(headers))
  }

  public init(
    topicPartition: TopicPartition, offset: Int64, timestamp: Int64? = nil, key: [UInt8]?, value: [UInt8]?,
    packedHeaders: PackedHeaders
  ) {
    self.topicPartition = topicPartition
    self.offset = offset
    self.timestamp = timestamp
    self.key = key
    self.value = value
    self.packedHeaders = packedHeaders
  }

  public var topic: String { topicPartition.topic }
}

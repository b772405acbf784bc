internal import CRDKafka

/// A topic as the cluster knows it.
public struct TopicDescription: Sendable, Hashable {
  public struct Partition: Sendable, Hashable {
    public var id: Int32
    /// The broker that leads it; nil while there is none.
    public var leader: Int32?
    public var replicas: [Int32]
    public var inSyncReplicas: [Int32]
    /// The first offset it still has; nil where it could not be asked, for want of a leader.
    public var start: Int64?
    /// The offset that its next record will get.
    public var end: Int64?

    public init(
      id: Int32, leader: Int32?, replicas: [Int32], inSyncReplicas: [Int32], start: Int64? = nil, end: Int64? = nil
    ) {
      self.id = id
      self.leader = leader
      self.replicas = replicas
      self.inSyncReplicas = inSyncReplicas
      self.start = start
      self.end = end
    }
  }

  /// A topic's setting, by Kafka's own name. The value is nil for a secret.
  public struct Setting: Sendable, Hashable {
    public var name: String
    public var value: String?
    /// Nobody has set it for this topic.
    public var isDefault: Bool

    public init(name: String, value: String?, isDefault: Bool) {
      self.name = name
      self.value = value
      self.isDefault = isDefault
    }
  }

  public var name: String
  public var partitions: [Partition]
  /// Sorted by name; nil where the broker does not tell.
  public var settings: [Setting]?

  public init(name: String, partitions: [Partition], settings: [Setting]?) {
    self.name = name
    self.partitions = partitions
    self.settings = settings
  }
}

extension TopicDescription.Partition {
  init(_ partition: rd_kafka_metadata_partition) {
    self.init(
      id: partition.id, leader: partition.leader >= 0 ? partition.leader : nil,
      replicas: (0..<Int(partition.replica_cnt)).map { partition.replicas[$0] },
      inSyncReplicas: (0..<Int(partition.isr_cnt)).map { partition.isrs[$0] })
  }
}

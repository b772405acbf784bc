import Messaging

/// A consumer group of the cluster.
public struct GroupListing: Sendable, Hashable {
  public var name: String
  /// Kafka's word: `Stable`, `Empty`, `PreparingRebalance`, ...
  public var state: String

  public init(name: String, state: String) {
    self.name = name
    self.state = state
  }
}

/// A consumer group with its members.
public struct GroupDescription: Sendable, Hashable {
  public struct Member: Sendable, Hashable {
    public var id: String
    public var clientID: String
    public var host: String
    /// Sorted.
    public var assignment: [TopicPartition]

    public init(id: String, clientID: String, host: String, assignment: [TopicPartition]) {
      self.id = id
      self.clientID = clientID
      self.host = host
      self.assignment = assignment
    }
  }

  public var name: String
  /// Kafka's word: `Stable`, `Empty`, `Dead` for a group that nobody has heard of, ...
  public var state: String
  /// How partitions are shared out; empty while there are no members.
  public var assignor: String
  /// `host:port` of the broker that looks after the group.
  public var coordinator: String?
  public var members: [Member]

  public init(name: String, state: String, assignor: String, coordinator: String?, members: [Member]) {
    self.name = name
    self.state = state
    self.assignor = assignor
    self.coordinator = coordinator
    self.members = members
  }
}

import Messaging

/// What a group member has and knows, as a value: who it is, its partitions, its troubles.
struct GroupMembership {
  struct Partition {
    var position: Int64?
    var committed: Int64?
    /// The log's end at the assignment; fetching tells a newer one.
    var logEnd: Int64?
    var isPaused = false
  }

  let group: String
  private(set) var memberID: String?
  /// Nil until the first assignment.
  private(set) var partitions: [TopicPartition: Partition]?
  /// No broker, no coordinator: anything between the client and the cluster.
  var brokerTrouble: String?
  /// A subscribed topic that is not there, or not for us.
  var topicTrouble: String?

  init(group: String) {
    self.group = group
  }

  mutating func assign(_ assigned: [TopicPartition: Partition], memberID: String?) {
    self.memberID = memberID
    partitions = (partitions ?? [:]).merging(assigned) { _, new in new }
  }

  mutating func revoke(_ revoked: some Sequence<TopicPartition>) {
    for partition in revoked {
      partitions?[partition] = nil
    }
  }

  mutating func received(_ records: [ConsumedRecord]) {
    // The last of each run of a partition says it all.
    for (index, record) in records.enumerated() {
      let next = index + 1
      guard next == records.count || records[next].topicPartition != record.topicPartition else { continue }
      partitions?[record.topicPartition]?.position = record.offset &+ 1
    }
  }

  mutating func moved(_ partition: TopicPartition, to offset: Int64) {
    partitions?[partition]?.position = offset
  }

  mutating func committed(_ partition: TopicPartition, at offset: Int64) {
    partitions?[partition]?.committed = offset
  }

  mutating func setPaused(_ isPaused: Bool, _ paused: Set<TopicPartition>) {
    for partition in paused {
      partitions?[partition]?.isPaused = isPaused
    }
  }

  var paused: Set<TopicPartition> {
    Set((partitions ?? [:]).filter(\.value.isPaused).keys)
  }

  /// - Parameter fetchedEnd: a partition's end as the last fetch told it.
  func status(fetchedEnd: (TopicPartition) -> Int64?) -> ConsumerStatus {
    let assignment = partitions?
      .map { partition, known in
        ConsumerStatus.Partition(
          topicPartition: partition, position: known.position, committed: known.committed,
          logEnd: Self.end(fetched: fetchedEnd(partition), known: known), isPaused: known.isPaused)
      }
      .sorted { $0.topicPartition < $1.topicPartition }
    return ConsumerStatus(
      group: group, memberID: memberID, assignment: assignment, trouble: brokerTrouble ?? topicTrouble)
  }

  /// What a fetch told may be from an earlier assignment of the same partition, or from before a pause.
  private static func end(fetched: Int64?, known: Partition) -> Int64? {
    [fetched, known.logEnd, known.position].compactMap { $0 }.max()
  }
}

/// The administrator of an ``InMemoryBroker``. Nothing blocks; while the broker is away everything fails at once.
struct InMemoryAdmin: BrokerAdmin {
  let cluster: Monitor<InMemoryCluster>

  func clusterID(timeout: Duration) throws -> String {
    try reach { $0.clusterID }
  }

  func topics(timeout: Duration) throws -> [String: Int] {
    try reach { $0.topics }
  }

  func createTopics(_ topics: [TopicSpecification], timeout: Duration) throws {
    try reach { cluster in
      for topic in topics { cluster.create(topic.name, partitions: topic.partitions) }
    }
  }

  func watermarks(of partition: TopicPartition, timeout: Duration) throws -> (start: Int64, end: Int64) {
    try reach { cluster in
      guard let log = cluster.log(partition) else { throw BrokerError.unknownTopic(partition.description) }
      return (log.start, log.end)
    }
  }

  func committed(
    group: String, partitions: [TopicPartition], timeout: Duration
  ) throws -> [TopicPartition: Int64] {
    try reach { cluster in
      (cluster.groups[group]?.committed ?? [:]).filter { partitions.contains($0.key) }
    }
  }

  func close() {}

  private func reach<Result>(_ body: (inout InMemoryCluster) throws -> Result) throws -> Result {
    try cluster.change { cluster in
      guard cluster.isUp else { throw BrokerError.brokerAway }
      return try body(&cluster)
    }
  }
}

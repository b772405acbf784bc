import Foundation
import Messaging
import MessagingKafka
import Testing

@Suite("The Kafka administrator", .timeLimit(.minutes(5)))
struct KafkaAdminTests {
  /// What only a real Kafka can do, where one is named.
  static let realServers = ProcessInfo.processInfo.environment["KAFKA_BOOTSTRAP_SERVERS"]

  @Test func whatTheEmbeddedBrokerCannotDoIsUnsupported() async throws {
    try await onThread {
      let embedded = try EmbeddedBroker(topics: [("t", 1)])
      let broker = kafkaBroker(on: embedded)
      try publish(numbered(0..<3, in: "t"), through: broker)
      let admin = try broker.makeKafkaAdmin()
      defer { admin.close() }
      let partition = TopicPartition("t", 0)
      let missing = TopicSpecification(name: "n", partitions: 1, replicationFactor: 1)
      let requests: [() throws -> Void] = [
        { try admin.createTopics([missing], timeout: .seconds(9)) },
        { try admin.deleteTopics(["t"], timeout: .seconds(9)) },
        { _ = try admin.listGroups(timeout: .seconds(9)) },
        { _ = try admin.describeGroup("g", timeout: .seconds(9)) },
        { _ = try admin.offsets(forTimes: [partition: 1], timeout: .seconds(9)) },
      ]

      for request in requests {
        let error = #expect(throws: BrokerError.self) { try request() }
        #expect(error?.kind == .unsupported, "\(String(describing: error))")
      }
    }
  }

  @Test func aTopicIsDescribedWithItsPartitionsAndOffsets() async throws {
    try await onThread {
      let embedded = try EmbeddedBroker(brokers: 3, topics: [("t", 3)])
      let broker = kafkaBroker(on: embedded)
      try publish(numbered(0..<9, in: "t"), through: broker)
      let admin = try broker.makeKafkaAdmin()
      defer { admin.close() }

      let topic = try admin.describeTopic("t", timeout: .seconds(20))

      #expect(topic.name == "t")
      #expect(topic.partitions.map(\.id) == [0, 1, 2])
      #expect(topic.partitions.allSatisfy { $0.leader != nil && $0.replicas.count == 3 && $0.start == 0 })
      #expect(topic.partitions.reduce(0) { $0 + ($1.end ?? 0) } == 9)
      #expect(topic.settings == nil)
      let error = #expect(throws: BrokerError.self) { try admin.describeTopic("none", timeout: .seconds(5)) }
      #expect(error?.name == "UNKNOWN_TOPIC_OR_PART")
    }
  }

  /// librdkafka 2.0.2 ends the process here when it is asked by `ListConsumerGroupOffsets`.
  @Test func aQuestionThatTimedOutIsHarmlessWhenTheBrokerComesBack() async throws {
    try await onThread {
      let embedded = try EmbeddedBroker(topics: [("t", 2)])
      defer { embedded.close() }
      let admin = try kafkaBroker(on: embedded).makeKafkaAdmin()
      defer { admin.close() }
      let partitions = [TopicPartition("t", 0), TopicPartition("t", 1)]
      for _ in 0..<3 {
        try embedded.setDown()
        for group in ["g", "h"] {
          #expect(throws: BrokerError.self) {
            try admin.committed(group: group, partitions: partitions, timeout: .milliseconds(400))
          }
        }
        try embedded.setUp()
        for group in ["g", "h"] {
          #expect(try admin.committed(group: group, partitions: partitions, timeout: .seconds(20)) == [:])
        }
      }
    }
  }

  @Test func aGroupWithoutMembersCanBeMoved() async throws {
    try await onThread {
      let embedded = try EmbeddedBroker(topics: [("t", 2)])
      let broker = kafkaBroker(on: embedded)
      let admin = try broker.makeKafkaAdmin()
      defer { admin.close() }
      let offsets = [TopicPartition("t", 0): Int64(5), TopicPartition("t", 1): 7]

      try admin.alterGroupOffsets(group: "g", to: offsets, timeout: .seconds(20))

      #expect(try admin.committed(group: "g", partitions: Array(offsets.keys), timeout: .seconds(20)) == offsets)
      #expect(try admin.committed(group: "g", partitions: [], timeout: .seconds(20)) == [:])
    }
  }

  @Test func aBrokerThatIsAwayIsARetriableError() async throws {
    try await onThread {
      let embedded = try EmbeddedBroker(topics: [("t", 1)])
      let admin = try kafkaBroker(on: embedded).makeKafkaAdmin()
      defer { admin.close() }
      try embedded.setDown()
      let timeout = Duration.milliseconds(300)
      let missing = TopicSpecification(name: "n", partitions: 1, replicationFactor: 1)
      let requests: [() throws -> Void] = [
        { _ = try admin.clusterID(timeout: timeout) },
        { _ = try admin.topics(timeout: timeout) },
        { _ = try admin.watermarks(of: TopicPartition("t", 0), timeout: timeout) },
        { _ = try admin.committed(group: "g", partitions: [TopicPartition("t", 0)], timeout: timeout) },
        { try admin.createTopics([missing], timeout: timeout) },
      ]

      for request in requests {
        let error = #expect(throws: BrokerError.self) { try request() }
        #expect(error?.isRetriable == true, "\(String(describing: error))")
      }
    }
  }

  @Test func anEmbeddedBrokerThatIsClosedIsAway() async throws {
    try await onThread {
      let embedded = try EmbeddedBroker(topics: [("t", 1)])
      let admin = try kafkaBroker(on: embedded).makeKafkaAdmin()
      defer { admin.close() }
      #expect(try admin.topics(timeout: .seconds(20)) == ["t": 1])

      embedded.close()
      embedded.close()

      #expect(throws: BrokerError.self) { try embedded.createTopic("u", partitions: 1) }
      let error = #expect(throws: BrokerError.self) { try admin.topics(timeout: .milliseconds(500)) }
      #expect(error?.isRetriable == true)
    }
  }

  @Test(.enabled(if: realServers != nil))
  func aRealClusterListsDescribesAndDeletes() async throws {
    try await onThread {
      let broker = KafkaBroker(configuration: testConfiguration(Self.realServers ?? ""), logger: quietLogger)
      let admin = try broker.makeKafkaAdmin()
      defer { admin.close() }
      let topic = uniqueName("topic")
      let group = uniqueName("group")
      let partition = TopicPartition(topic, 0)
      let timeout = Duration.seconds(20)
      let wanted = TopicSpecification(
        name: topic, partitions: 1, replicationFactor: 1, configuration: ["retention.ms": "-1"])

      try admin.createTopics([wanted], timeout: timeout)
      try admin.createTopics([wanted], timeout: timeout)
      let settings = try #require(try admin.describeTopic(topic, timeout: timeout).settings)
      #expect(settings.first { $0.name == "retention.ms" }?.value == "-1")
      try publish(numbered(0..<10, in: topic), through: broker)
      #expect(try admin.offsets(forTimes: [partition: 0], timeout: timeout) == [partition: 0])
      #expect(try admin.offsets(forTimes: [partition: 4_000_000_000_000], timeout: timeout) == [partition: 10])

      let member = try PollingMember(broker, group: group, topics: [topic])
      try proceed("received", until: { member.received.count == 10 }) { Thread.sleep(forTimeInterval: 0.02) }
      let described = try admin.describeGroup(group, timeout: timeout)
      #expect(described.state == "Stable")
      #expect(described.members.flatMap(\.assignment) == [partition])
      #expect(try admin.listGroups(timeout: timeout).contains { $0.name == group })
      #expect(throws: BrokerError.self) {
        try admin.alterGroupOffsets(group: group, to: [partition: 3], timeout: timeout)
      }
      member.stop()
      #expect(try admin.committed(group: group, timeout: timeout) == [partition: 10])
      try admin.alterGroupOffsets(group: group, to: [partition: 3], timeout: timeout)
      #expect(try admin.committed(group: group, timeout: timeout) == [partition: 3])

      try admin.deleteTopics([topic], timeout: timeout)
      try proceed("gone", until: { try admin.topics(timeout: timeout)[topic] == nil }) {
        Thread.sleep(forTimeInterval: 0.05)
      }
      #expect(throws: BrokerError.self) { try admin.deleteTopics([topic], timeout: timeout) }
    }
  }
}

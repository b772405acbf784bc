import Foundation
import Messaging
import MessagingKafka
import Testing

@Suite("The Kafka consumer", .timeLimit(.minutes(5)))
struct KafkaConsumerTests {
  private static let partition = TopicPartition("t", 0)

  @Test func aTopicThatIsMissingIsWaitedFor() async throws {
    try await onThread {
      let embedded = try EmbeddedBroker(topics: [("t", 1)])
      try embedded.setError(.unknownTopic, ofTopic: "t")
      let broker = kafkaBroker(on: embedded)
      let consumer = try broker.makeConsumer(group: "g", topics: ["t"], listener: RecordingListener())
      defer { consumer.close() }
      try proceed("the trouble", until: { consumer.status().trouble != nil }) {
        let received = try consumer.poll(maximum: 10, timeout: .milliseconds(200))
        #expect(received.isEmpty)
      }

      try embedded.setError(nil, ofTopic: "t")
      try publish(numbered(0..<5, in: "t"), through: broker)

      #expect(try receive(5, from: consumer).map(number(of:)) == Array(0..<5))
      try proceed("no trouble", until: { consumer.status().trouble == nil }) {
        _ = try consumer.poll(maximum: 10, timeout: .milliseconds(200))
      }
    }
  }

  @Test func aBrokerThatGoesAndComesBackIsNoReasonToStop() async throws {
    try await onThread {
      let embedded = try EmbeddedBroker(topics: [("t", 1)])
      let broker = kafkaBroker(on: embedded)
      try publish(numbered(0..<5, in: "t"), through: broker)
      let consumer = try broker.makeConsumer(group: "g", topics: ["t"], listener: RecordingListener())
      defer { consumer.close() }
      _ = try receive(5, from: consumer)

      try embedded.setDown()
      try proceed("the trouble", until: { consumer.status().trouble != nil }) {
        let received = try consumer.poll(maximum: 10, timeout: .milliseconds(200))
        #expect(received.isEmpty)
      }
      try embedded.setUp()
      try publish(numbered(5..<10, in: "t"), through: broker)

      #expect(try receive(5, from: consumer).map(number(of:)) == Array(5..<10))
      try proceed("no trouble", until: { consumer.status().trouble == nil }) {
        _ = try consumer.poll(maximum: 10, timeout: .milliseconds(200))
      }
    }
  }

  @Test func anAssignmentWaitsUntilTheBrokerSaysWhereTheLogsStand() async throws {
    try await onThread {
      let embedded = try EmbeddedBroker(topics: [("t", 2)])
      let broker = kafkaBroker(on: embedded)
      try publish(numbered(0..<20, in: "t"), through: broker)
      let listener = RecordingListener()
      try embedded.pushErrors(Array(repeating: .notLeader, count: 6), for: .listOffsets)
      let consumer = try broker.makeConsumer(group: "g", topics: ["t"], listener: listener)
      defer { consumer.close() }

      let received = try receive(20, from: consumer)

      #expect(received.map(number(of:)).sorted() == Array(0..<20))
      #expect(listener.history.assigned.count == 1)
      #expect(listener.history.assigned[0].values.reduce(0) { $0 + $1.logEnd } == 20)
    }
  }

  @Test func committedOffsetsThatCannotBeReadAreAskedForAgain() async throws {
    try await onThread {
      let embedded = try EmbeddedBroker(topics: [("t", 1)])
      let broker = kafkaBroker(on: embedded)
      try publish(numbered(0..<20, in: "t"), through: broker)
      let admin = try broker.makeKafkaAdmin()
      defer { admin.close() }
      try admin.alterGroupOffsets(group: "g", to: [Self.partition: 15], timeout: .seconds(20))
      try embedded.pushErrors([.coordinatorNotAvailable, .requestTimedOut], for: .offsetFetch)
      let listener = RecordingListener()
      let consumer = try broker.makeConsumer(group: "g", topics: ["t"], listener: listener)
      defer { consumer.close() }

      #expect(try receive(5, from: consumer).map(number(of:)) == Array(15..<20))
      #expect(listener.history.assigned.last?[Self.partition]?.committed == 15)
    }
  }

  /// The embedded broker keeps 5 MiB a partition: the rest is gone while the consumer is paused.
  @Test func whatTheBrokerNoLongerHasIsSkippedToTheEarliestRecordItHas() async throws {
    try await onThread {
      let embedded = try EmbeddedBroker(topics: [("t", 1)])
      let lines = LogLines()
      let configuration = testConfiguration(embedded.bootstrapServers, producer: ["compression.type": "none"])
      let broker = KafkaBroker(configuration: configuration, logger: lines.logger)
      try publish(numbered(0..<10, in: "t"), through: broker)
      let consumer = try broker.makeConsumer(group: "g", topics: ["t"], listener: RecordingListener())
      defer { consumer.close() }
      _ = try receive(10, from: consumer)

      consumer.pause([Self.partition])
      let large = (10..<90).map { index in
        OutgoingMessage(topic: "t", key: nil, value: Array("\(index)".utf8) + Array(repeating: 32, count: 100_000))
      }
      try publish(large, through: broker)
      let admin = try broker.makeAdmin()
      defer { admin.close() }
      let (start, end) = try admin.watermarks(of: Self.partition, timeout: .seconds(20))
      try #require(start > 10)
      consumer.resume([Self.partition])
      let received = try receive(Int(end - start), from: consumer)

      #expect(received.map(\.offset) == Array(start..<end))
      #expect(lines.all.contains { $0.contains("warning") && $0.contains("offset reset") })
    }
  }

  @Test func membersShareTheirPartitionsByTheCooperativeProtocol() async throws {
    try await onThread {
      let embedded = try EmbeddedBroker(topics: [("t", 4)])
      let broker = kafkaBroker(on: embedded, consumer: ["partition.assignment.strategy": "cooperative-sticky"])
      let all = Set((0..<4).map { TopicPartition("t", $0) })
      let first = try PollingMember(broker, group: "g", topics: ["t"])
      defer { first.stop() }
      try proceed("the first has all", until: { first.listener.holding == all }) { Thread.sleep(forTimeInterval: 0.02) }
      let second = try PollingMember(broker, group: "g", topics: ["t"])
      defer { second.stop() }
      try proceed(
        "each has two", within: .seconds(90),
        until: { first.listener.holding.count == 2 && second.listener.holding.count == 2 }
      ) {
        Thread.sleep(forTimeInterval: 0.02)
      }

      #expect(first.listener.holding.isDisjoint(with: second.listener.holding))
      #expect(first.listener.history.revoked.map(\.count) == [2])
      try publish(numbered(0..<200, in: "t"), through: broker)
      try proceed("all", until: { first.received.count + second.received.count >= 200 }) {
        Thread.sleep(forTimeInterval: 0.02)
      }
      #expect((first.received + second.received).map(number(of:)).sorted() == Array(0..<200))
      second.stop()
      try proceed("the first has all again", until: { first.listener.holding == all }) {
        Thread.sleep(forTimeInterval: 0.02)
      }
    }
  }

  @Test func aMemberThatStopsPollingLosesItsPartitionsAndGetsThemAgain() async throws {
    try await onThread {
      let embedded = try EmbeddedBroker(topics: [("t", 1)])
      let lines = LogLines()
      let configuration = testConfiguration(
        embedded.bootstrapServers, consumer: ["max.poll.interval.ms": "6000", "session.timeout.ms": "6000"])
      let broker = KafkaBroker(configuration: configuration, logger: lines.logger)
      try publish(numbered(0..<10, in: "t"), through: broker)
      let listener = RecordingListener()
      let consumer = try broker.makeConsumer(group: "g", topics: ["t"], listener: listener)
      defer { consumer.close() }
      _ = try receive(10, from: consumer)

      #expect(lines.wait(for: "MAXPOLL", within: .seconds(30)))
      let again = try receive(10, from: consumer)

      #expect(again.map(number(of:)) == Array(0..<10))
      #expect(listener.history.assigned.count == 2)
      #expect(listener.history.revoked == [[Self.partition]])
      #expect(listener.history.lost == 1)
    }
  }

  @Test func aMemberThatDiesIsReplacedAndItsUnstoredRecordsComeAgain() async throws {
    try await onThread {
      let embedded = try EmbeddedBroker(topics: [("t", 1)])
      let broker = kafkaBroker(on: embedded)
      try publish(numbered(0..<10, in: "t"), through: broker)
      // It dies by never polling again: with `max.poll.interval.ms` its client leaves for it.
      let mortal = kafkaBroker(
        on: embedded, consumer: ["max.poll.interval.ms": "6000", "session.timeout.ms": "6000"])
      let listener = RecordingListener()
      let dying = try mortal.makeConsumer(group: "g", topics: ["t"], listener: listener)
      _ = try receive(10, from: dying)
      dying.store(next: [Self.partition: 4])
      try proceed("the commit", until: { dying.status().assignment?.first?.committed == 4 }) {
        _ = try dying.poll(maximum: 10, timeout: .milliseconds(100))
      }

      let heir = try broker.makeConsumer(group: "g", topics: ["t"], listener: RecordingListener())
      defer { heir.close() }
      let inherited = try receive(6, from: heir)

      #expect(inherited.map(number(of:)) == Array(4..<10))
      dying.store(next: [Self.partition: 9])
      try proceed("the loss", until: { !listener.history.revoked.isEmpty }) {
        let received = try dying.poll(maximum: 10, timeout: .milliseconds(100))
        #expect(received.isEmpty)
      }
      dying.close()
    }
  }

  @Test func closingWithoutABrokerIsBoundedAndTellsTheListener() async throws {
    try await onThread {
      let embedded = try EmbeddedBroker(topics: [("t", 1)])
      let listener = RecordingListener()
      let consumer = try kafkaBroker(on: embedded).makeConsumer(group: "g", topics: ["t"], listener: listener)
      try proceed("assigned", until: { !listener.holding.isEmpty }) {
        _ = try consumer.poll(maximum: 10, timeout: .milliseconds(200))
      }
      consumer.store(next: [Self.partition: 0])
      try embedded.setDown()
      let start = ContinuousClock.now

      consumer.close()

      #expect(ContinuousClock.now - start < .seconds(9))
      #expect(listener.holding.isEmpty)
    }
  }

  @Test func closingBeforeAnythingWasAssignedIsQuick() async throws {
    try await onThread {
      let embedded = try EmbeddedBroker(topics: [("t", 1)])
      let broker = kafkaBroker(on: embedded)
      let start = ContinuousClock.now
      let listener = RecordingListener()
      for polls in 0..<3 {
        let consumer = try broker.makeConsumer(group: "g\(polls)", topics: ["t"], listener: listener)
        for _ in 0..<polls { _ = try consumer.poll(maximum: 1, timeout: .milliseconds(50)) }
        consumer.close()
      }
      #expect(ContinuousClock.now - start < .seconds(20))
      #expect(listener.history.assigned.isEmpty)
      #expect(listener.history.revoked.isEmpty)
    }
  }
}

import Foundation
import Messaging
import Testing

/// The promises of the broker seam, over every implementation. A fake that has not passed is a rumour.
@Suite("The broker's contract", .timeLimit(.minutes(5)))
struct BrokerContractTests {
  static let brokers = BrokerUnderTest.available

  @Test(arguments: brokers)
  func recordsArriveExactlyAsTheyWereSent(_ kind: BrokerUnderTest) async throws {
    try await onThread {
      let broker = try kind.broker
      let topic = try kind.makeTopic(partitions: 1)
      let every: [UInt8] = Array(0...255)
      let sent = [
        OutgoingMessage(topic: topic, key: nil, value: nil),
        OutgoingMessage(topic: topic, key: [], value: []),
        OutgoingMessage(topic: topic, key: every, value: every + every),
        OutgoingMessage(topic: topic, key: Array("ключ 🔑".utf8), value: Array("a\0b".utf8)),
        OutgoingMessage(
          topic: topic, key: [1], value: nil,
          headers: [
            Header("twice", "first"), Header("twice", "second"), Header(name: "null", value: nil),
            Header(name: "empty", value: []), Header(name: "binary", value: every), Header("", "no name"),
          ]),
      ]

      try publish(sent, through: broker)
      let consumer = try broker.makeConsumer(group: uniqueName("group"), topics: [topic], listener: RecordingListener())
      defer { consumer.close() }
      let received = try receive(sent.count, from: consumer)

      #expect(received.map(\.offset) == [0, 1, 2, 3, 4])
      for (record, message) in zip(received, sent) {
        #expect(record.topicPartition == TopicPartition(topic, 0))
        #expect(record.key == message.key)
        #expect(record.value == message.value)
        #expect(record.headers == message.headers)
        #expect(record.timestamp.map { $0 > 1_700_000_000_000 } != false)
      }
    }
  }

  @Test(arguments: brokers)
  func recordsOfAKeyStayTogetherAndInOrder(_ kind: BrokerUnderTest) async throws {
    try await onThread {
      let broker = try kind.broker
      let topic = try kind.makeTopic(partitions: 4)
      let messages = (0..<2000).map { index in
        OutgoingMessage(topic: topic, key: Array("key-\(index % 37)".utf8), value: Array("\(index)".utf8))
      }

      try publish(messages, through: broker)
      let consumer = try broker.makeConsumer(group: uniqueName("group"), topics: [topic], listener: RecordingListener())
      defer { consumer.close() }
      let received = try receive(messages.count, from: consumer)

      #expect(received.count == messages.count)
      for ofKey in Dictionary(grouping: received, by: \.key).values {
        #expect(Set(ofKey.map(\.topicPartition)).count == 1)
        let numbers = ofKey.map(number(of:))
        #expect(numbers == numbers.sorted())
      }
      #expect(Set(received.map(\.topicPartition)).count == 4)
    }
  }

  @Test(arguments: brokers)
  func everyGroupGetsEverything(_ kind: BrokerUnderTest) async throws {
    try await onThread {
      let broker = try kind.broker
      let topic = try kind.makeTopic(partitions: 3)
      let members = try (0..<2).map { _ in try PollingMember(broker, group: uniqueName("group"), topics: [topic]) }
      defer { members.forEach { $0.stop() } }

      try publish(numbered(0..<300, in: topic), through: broker)

      for member in members {
        try proceed("300 records", until: { member.received.count >= 300 }) { Thread.sleep(forTimeInterval: 0.02) }
        #expect(member.received.map(number(of:)).sorted() == Array(0..<300))
      }
    }
  }

  @Test(arguments: brokers)
  func aGroupResumesBehindWhatItHasStored(_ kind: BrokerUnderTest) async throws {
    try await onThread {
      let broker = try kind.broker
      let topic = try kind.makeTopic(partitions: 1)
      let group = uniqueName("group")
      try publish(numbered(0..<20, in: topic), through: broker)

      let first = try broker.makeConsumer(group: group, topics: [topic], listener: RecordingListener())
      _ = try receive(20, from: first)
      first.store(next: [TopicPartition(topic, 0): 12])
      first.close()
      let listener = RecordingListener()
      let second = try broker.makeConsumer(group: group, topics: [topic], listener: listener)
      defer { second.close() }
      let resumed = try receive(8, from: second)

      #expect(resumed.map(number(of:)) == Array(12..<20))
      let state = try #require(listener.history.assigned.last?[TopicPartition(topic, 0)])
      #expect(state.committed == 12)
      #expect(state.logStart == 0)
      #expect(state.logEnd == 20)
      #expect(!state.clusterID.isEmpty)
    }
  }

  @Test(arguments: brokers)
  func whatIsStoredWhileGivingUpIsCommitted(_ kind: BrokerUnderTest) async throws {
    try await onThread {
      let broker = try kind.broker
      let topic = try kind.makeTopic(partitions: 1)
      let group = uniqueName("group")
      try publish(numbered(0..<10, in: topic), through: broker)

      let storing = StoringOnRevoke()
      let consumer = try broker.makeConsumer(group: group, topics: [topic], listener: storing)
      storing.arm(consumer, next: [TopicPartition(topic, 0): 7])
      _ = try receive(10, from: consumer)
      consumer.close()

      let admin = try broker.makeAdmin()
      defer { admin.close() }
      let committed = try admin.committed(group: group, partitions: [TopicPartition(topic, 0)], timeout: .seconds(20))
      #expect(committed == [TopicPartition(topic, 0): 7])
    }
  }

  @Test(arguments: brokers)
  func membersShareTheirPartitionsAndTakeOverFromEachOther(_ kind: BrokerUnderTest) async throws {
    try await onThread {
      let broker = try kind.broker
      let topic = try kind.makeTopic(partitions: 4)
      let group = uniqueName("group")
      let all = Set((0..<4).map { TopicPartition(topic, $0) })
      let first = try PollingMember(broker, group: group, topics: [topic])
      defer { first.stop() }
      try publish(numbered(0..<100, in: topic), through: broker)
      try proceed("the first has all", until: { first.received.count >= 100 }) { Thread.sleep(forTimeInterval: 0.02) }

      let second = try PollingMember(broker, group: group, topics: [topic])
      defer { second.stop() }
      try proceed("each has two", until: { first.listener.holding.count == 2 && second.listener.holding.count == 2 }) {
        Thread.sleep(forTimeInterval: 0.02)
      }
      #expect(first.listener.holding.union(second.listener.holding) == all)
      try publish(numbered(100..<300, in: topic), through: broker)
      try proceed("both have got theirs", until: { first.received.count + second.received.count >= 300 }) {
        Thread.sleep(forTimeInterval: 0.02)
      }
      second.stop()
      #expect(second.listener.holding.isEmpty)
      try publish(numbered(300..<400, in: topic), through: broker)
      try proceed("the first has all again", until: { first.listener.holding == all }) {
        Thread.sleep(forTimeInterval: 0.02)
      }
      let both = { Set((first.received + second.received).map(number(of:))) }
      try proceed("nothing is missing", until: { both().count == 400 }) { Thread.sleep(forTimeInterval: 0.02) }

      #expect(both() == Set(0..<400))
      #expect(first.listener.history.lost == 0)
    }
  }

  @Test(arguments: brokers)
  func aMemberWithoutPartitionsHasAnEmptyAssignment(_ kind: BrokerUnderTest) async throws {
    try await onThread {
      let broker = try kind.broker
      let topic = try kind.makeTopic(partitions: 1)
      let group = uniqueName("group")
      let members = try (0..<2).map { _ in try PollingMember(broker, group: group, topics: [topic]) }
      defer { members.forEach { $0.stop() } }

      try proceed(
        "one has it, the other knows that it has none",
        until: { Set(members.compactMap { $0.consumer.status().assignment?.count }) == [0, 1] }
      ) {
        Thread.sleep(forTimeInterval: 0.02)
      }
    }
  }

  @Test(arguments: brokers)
  func whatWasFetchedIsTakenInOrderWithoutAPoll(_ kind: BrokerUnderTest) async throws {
    try await onThread {
      let broker = try kind.broker
      let topic = try kind.makeTopic(partitions: 1)
      try publish(numbered(0..<50, in: topic), through: broker)
      let consumer = try broker.makeConsumer(group: uniqueName("group"), topics: [topic], listener: RecordingListener())
      defer { consumer.close() }
      var received: [ConsumedRecord] = []
      try proceed("a record", until: { !received.isEmpty }) {
        received = try consumer.poll(maximum: 1, timeout: .milliseconds(500))
      }

      #expect(consumer.takeFetched(maximum: 0).isEmpty)
      try proceed("50 records", until: { received.count >= 50 }) {
        Thread.sleep(forTimeInterval: 0.001)
        let taken = consumer.takeFetched(maximum: 7)
        #expect(taken.count <= 7)
        received += taken
      }
      #expect(consumer.status().assignment?.first?.position == 50)
      try publish(numbered(50..<60, in: topic), through: broker)
      received += try receive(10, from: consumer)

      #expect(received.map(number(of:)) == Array(0..<60))
      consumer.close()
      #expect(consumer.takeFetched(maximum: 1).isEmpty)
    }
  }

  @Test(arguments: brokers)
  func takingWhatWasFetchedServesNoRebalance(_ kind: BrokerUnderTest) async throws {
    try await onThread {
      let broker = try kind.broker
      let topic = try kind.makeTopic(partitions: 2)
      let group = uniqueName("group")
      try publish(numbered(0..<40, in: topic), through: broker)
      let listener = RecordingListener()
      let consumer = try broker.makeConsumer(group: group, topics: [topic], listener: listener)
      defer { consumer.close() }
      _ = try receive(40, from: consumer)

      let other = try PollingMember(broker, group: group, topics: [topic])
      defer { other.stop() }
      // Longer than a group needs to tell its members that somebody has come.
      let end = ContinuousClock.now + .seconds(2)
      while ContinuousClock.now < end {
        #expect(consumer.takeFetched(maximum: 10).isEmpty)
        Thread.sleep(forTimeInterval: 0.05)
      }
      #expect(listener.history.revoked.isEmpty && listener.holding.count == 2)

      try proceed("one partition for each", until: { listener.holding.count == 1 && other.listener.holding.count == 1 })
      {
        _ = try consumer.poll(maximum: 10, timeout: .milliseconds(100))
      }
      #expect(!listener.history.revoked.isEmpty)
    }
  }

  @Test(arguments: brokers)
  func aPausedPartitionIsSilentUntilItIsResumed(_ kind: BrokerUnderTest) async throws {
    try await onThread {
      let broker = try kind.broker
      let topic = try kind.makeTopic(partitions: 2)
      let paused = TopicPartition(topic, 0)
      let keys = try keysByPartition(of: topic, partitions: 2, through: broker)
      let consumer = try broker.makeConsumer(group: uniqueName("group"), topics: [topic], listener: RecordingListener())
      defer { consumer.close() }
      _ = try receive(2, from: consumer)

      consumer.pause([paused])
      try publish(
        numbered(0..<50, in: topic, key: keys[0]) + numbered(100..<150, in: topic, key: keys[1]), through: broker)
      let whilePaused = try receive(50, from: consumer)
      #expect(whilePaused.allSatisfy { $0.topicPartition != paused })
      #expect(consumer.status().assignment?.first { $0.topicPartition == paused }?.isPaused == true)
      consumer.resume([paused])
      let afterwards = try receive(50, from: consumer)

      #expect(afterwards.map(number(of:)) == Array(0..<50))
      #expect(consumer.status().assignment?.contains { $0.isPaused } == false)
    }
  }

  @Test(arguments: brokers)
  func seekingGoesBackAndDropsWhatWasFetchedBeyond(_ kind: BrokerUnderTest) async throws {
    try await onThread {
      let broker = try kind.broker
      let topic = try kind.makeTopic(partitions: 1)
      let partition = TopicPartition(topic, 0)
      try publish(numbered(0..<100, in: topic), through: broker)
      let consumer = try broker.makeConsumer(group: uniqueName("group"), topics: [topic], listener: RecordingListener())
      defer { consumer.close() }

      var head: [ConsumedRecord] = []
      try proceed("the first records", until: { !head.isEmpty }) {
        head = try consumer.poll(maximum: 10, timeout: .seconds(1))
      }
      try consumer.seek(partition, to: 5)
      let again = try receive(95, from: consumer)
      #expect(again.map(number(of:)) == Array(5..<100))
      consumer.pause([partition])
      try consumer.seek(partition, to: 90)
      #expect(try consumer.poll(maximum: 10, timeout: .milliseconds(100)).isEmpty)
      consumer.resume([partition])
      #expect(try receive(10, from: consumer).map(number(of:)) == Array(90..<100))
    }
  }

  @Test(arguments: brokers)
  func theListenerDecidesWhereToStart(_ kind: BrokerUnderTest) async throws {
    try await onThread {
      let broker = try kind.broker
      let topic = try kind.makeTopic(partitions: 3)
      let keys = try keysByPartition(of: topic, partitions: 3, through: broker)
      for key in keys { try publish(numbered(1..<10, in: topic, key: key), through: broker) }

      let listener = RecordingListener(start: { partition, _ in
        switch partition.partition {
        case 0: .offset(6)
        case 1: .earliest
        default: .offset(4711)  // Beyond the end: the log is another one than we knew.
        }
      })
      let consumer = try broker.makeConsumer(group: uniqueName("group"), topics: [topic], listener: listener)
      defer { consumer.close() }
      let received = try receive(4 + 10 + 10, from: consumer)

      let firsts = Dictionary(grouping: received, by: \.topicPartition.partition).mapValues { $0.map(\.offset).min() }
      #expect(firsts == [0: 6, 1: 0, 2: 0])
      #expect(received.count == 24)
    }
  }

  @Test(arguments: brokers)
  func wakingEndsAPollThatWaitsAndIsNeverLost(_ kind: BrokerUnderTest) async throws {
    try await onThread {
      let broker = try kind.broker
      let topic = try kind.makeTopic(partitions: 1)
      let consumer = try broker.makeConsumer(group: uniqueName("group"), topics: [topic], listener: RecordingListener())
      defer { consumer.close() }
      try proceed("assigned", until: { consumer.status().assignment != nil }) {
        _ = try consumer.poll(maximum: 1, timeout: .milliseconds(100))
      }

      consumer.wake()
      #expect(try elapsed { _ = try consumer.poll(maximum: 1, timeout: .seconds(30)) } < .seconds(10))
      Thread {
        Thread.sleep(forTimeInterval: 0.2)
        consumer.wake()
      }.start()
      #expect(try elapsed { _ = try consumer.poll(maximum: 1, timeout: .seconds(30)) } < .seconds(10))
    }
  }

  @Test(arguments: brokers)
  func wakingEndsAWaitForReportsAndIsNeverLost(_ kind: BrokerUnderTest) async throws {
    try await onThread {
      let producer = try kind.broker.makeProducer()
      defer { producer.close(timeout: .seconds(5)) }

      producer.wake()
      #expect(elapsed { _ = producer.deliveries(timeout: .seconds(30)) } < .seconds(10))
      Thread {
        Thread.sleep(forTimeInterval: 0.2)
        producer.wake()
      }.start()
      #expect(elapsed { _ = producer.deliveries(timeout: .seconds(30)) } < .seconds(10))
    }
  }

  @Test(arguments: brokers)
  func aMessageThatIsTooLargeFailsAloneAndNotForAWhile(_ kind: BrokerUnderTest) async throws {
    try await onThread {
      let broker = try kind.broker
      let topic = try kind.makeTopic(partitions: 1)
      let producer = try broker.makeProducer()
      defer { producer.close(timeout: .seconds(5)) }
      let large = OutgoingMessage(topic: topic, key: [1], value: Array(repeating: 7, count: 3_000_000))

      let reports = try publish(numbered(0..<1, in: topic) + [large] + numbered(1..<2, in: topic), with: producer)

      #expect(throws: Never.self) { try reports[0].get() }
      let error = #expect(throws: BrokerError.self) { try reports[1].get() }
      #expect(error?.kind == .permanent)
      #expect(try reports[2].get() == RecordPosition(topicPartition: TopicPartition(topic, 0), offset: 1))
    }
  }

  @Test(arguments: brokers)
  func statusTellsPositionCommittedAndEnd(_ kind: BrokerUnderTest) async throws {
    try await onThread {
      let broker = try kind.broker
      let topic = try kind.makeTopic(partitions: 1)
      let partition = TopicPartition(topic, 0)
      let group = uniqueName("group")
      try publish(numbered(0..<10, in: topic), through: broker)
      let consumer = try broker.makeConsumer(group: group, topics: [topic], listener: RecordingListener())
      defer { consumer.close() }
      #expect(consumer.status().assignment == nil)
      _ = try receive(10, from: consumer)

      consumer.store(next: [partition: 6])
      var status = consumer.status()
      try proceed("the commit", until: { status.assignment?.first?.committed == 6 }) {
        _ = try consumer.poll(maximum: 1, timeout: .milliseconds(100))
        status = consumer.status()
      }

      #expect(status.group == group)
      #expect(status.memberID?.isEmpty == false)
      #expect(status.trouble == nil)
      #expect(status.assignment?.count == 1)
      let known = try #require(status.assignment?.first)
      #expect(known.topicPartition == partition)
      #expect(known.position == 10)
      #expect(known.logEnd == 10)
      #expect(known.lag == 4)
    }
  }

  @Test(arguments: brokers)
  func aPartitionThatIsNotOursIsNotStored(_ kind: BrokerUnderTest) async throws {
    try await onThread {
      let broker = try kind.broker
      let topic = try kind.makeTopic(partitions: 1)
      let other = try kind.makeTopic(partitions: 1)
      let group = uniqueName("group")
      try publish(numbered(0..<3, in: topic) + numbered(0..<3, in: other), through: broker)
      let consumer = try broker.makeConsumer(group: group, topics: [topic], listener: RecordingListener())
      _ = try receive(3, from: consumer)

      consumer.store(next: [TopicPartition(other, 0): 2, TopicPartition("nowhere", 5): 9, TopicPartition(topic, 0): 3])
      consumer.close()

      let admin = try broker.makeAdmin()
      defer { admin.close() }
      let asked = [TopicPartition(other, 0), TopicPartition(topic, 0)]
      #expect(
        try admin.committed(group: group, partitions: asked, timeout: .seconds(20)) == [TopicPartition(topic, 0): 3])
    }
  }

  @Test(arguments: brokers)
  func closingGivesEverythingUpAndASecondTimeDoesNothing(_ kind: BrokerUnderTest) async throws {
    try await onThread {
      let broker = try kind.broker
      let topic = try kind.makeTopic(partitions: 2)
      let listener = RecordingListener()
      let consumer = try broker.makeConsumer(group: uniqueName("group"), topics: [topic], listener: listener)
      try proceed("assigned", until: { listener.holding.count == 2 }) {
        _ = try consumer.poll(maximum: 1, timeout: .milliseconds(100))
      }
      let producer = try broker.makeProducer()
      let admin = try broker.makeAdmin()

      for _ in 0..<2 {
        consumer.close()
        producer.close(timeout: .seconds(1))
        admin.close()
      }

      #expect(listener.holding.isEmpty)
      #expect(listener.history.revoked.map(\.count) == [2])
      consumer.wake()
      producer.wake()
      consumer.store(next: [TopicPartition(topic, 0): 1])
      consumer.pause([TopicPartition(topic, 0)])
      _ = consumer.status()
      #expect(producer.deliveries(timeout: .zero).isEmpty)
      #expect(throws: BrokerError.self) { try consumer.poll(maximum: 1, timeout: .zero) }
    }
  }

  @Test(arguments: brokers)
  func theAdministratorKnowsTopicsOffsetsAndTheCluster(_ kind: BrokerUnderTest) async throws {
    try await onThread {
      let broker = try kind.broker
      let topic = try kind.makeTopic(partitions: 3)
      let admin = try broker.makeAdmin()
      defer { admin.close() }
      let keys = try keysByPartition(of: topic, partitions: 3, through: broker)
      try publish(numbered(0..<4, in: topic, key: keys[1]), through: broker)

      #expect(try admin.topics(timeout: .seconds(20))[topic] == 3)
      #expect(try admin.topics(timeout: .seconds(20))["never-heard-of"] == nil)
      let identifier = try admin.clusterID(timeout: .seconds(20))
      #expect(!identifier.isEmpty)
      #expect(try admin.clusterID(timeout: .seconds(20)) == identifier)
      let ends = try (0..<3).map { try admin.watermarks(of: TopicPartition(topic, $0), timeout: .seconds(20)).end }
      #expect(ends == [1, 5, 1])
      #expect(throws: BrokerError.self) {
        try admin.watermarks(of: TopicPartition("never-heard-of", 0), timeout: .seconds(2))
      }
      let existing = TopicSpecification(name: topic, partitions: 7, replicationFactor: 1)
      try admin.createTopics([existing], timeout: .seconds(20))
      #expect(try admin.topics(timeout: .seconds(20))[topic] == 3)
      #expect(try admin.topics(timeout: .seconds(20))["never-heard-of"] == nil)
      let unknown = [TopicPartition(topic, 0)]
      #expect(try admin.committed(group: uniqueName("group"), partitions: unknown, timeout: .seconds(20)) == [:])
    }
  }
}

// MARK: -

/// Stores offsets when it is told that partitions go.
private final class StoringOnRevoke: PartitionListener, @unchecked Sendable {
  // Set before the first poll, and read on the polling thread.
  private var consumer: (any MessageConsumer)?
  private var next: [TopicPartition: Int64] = [:]

  func arm(_ consumer: any MessageConsumer, next: [TopicPartition: Int64]) {
    self.consumer = consumer
    self.next = next
  }

  func assigned(_ partitions: [TopicPartition: CommittedState]) -> [TopicPartition: StartOffset] { [:] }

  func revoked(_ partitions: Set<TopicPartition>, lost: Bool) {
    consumer?.store(next: next)
    consumer = nil
  }
}

/// One key for each partition, found by publishing; each partition has one record afterwards.
private func keysByPartition(of topic: String, partitions: Int, through broker: any Broker) throws -> [String] {
  let keys = (0..<partitions).map { partition in
    (0...).lazy.map { "key-\($0)" }
      .first { MurmurPartitioner.partition(key: Array($0.utf8), partitions: partitions) == partition } ?? ""
  }
  let producer = try broker.makeProducer()
  defer { producer.close(timeout: .seconds(5)) }
  let reports = try publish(keys.flatMap { numbered(0..<1, in: topic, key: $0) }, with: producer)
  let places = try reports.map { try $0.get().topicPartition.partition }
  #expect(places == (0..<Int32(partitions)).map { $0 }, "the broker's partitioner is not Java's")
  return keys
}

private func elapsed(_ body: () throws -> Void) rethrows -> Duration {
  let start = ContinuousClock.now
  try body()
  return ContinuousClock.now - start
}

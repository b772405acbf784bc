import Messaging
import Testing

/// The faults that can be ordered; what it does without any is in the broker's contract.
@Suite("In-memory broker: faults")
struct InMemoryBrokerTests {
  private static let partition = TopicPartition("t", 0)

  @Test func anExpelledMemberLosesItsPartitionsAndJoinsAgain() throws {
    let broker = InMemoryBroker(topics: ["t": 1])
    try publish(numbered(0..<4, in: "t"), through: broker)
    let (first, second) = (RecordingListener(), RecordingListener())
    let zombie = try broker.makeConsumer(group: "g", topics: ["t"], listener: first)
    #expect(try zombie.poll(maximum: 2, timeout: .zero).count == 2)

    broker.expel(try #require(zombie.status().memberID), from: "g")
    zombie.store(next: [Self.partition: 2])
    let heir = try broker.makeConsumer(group: "g", topics: ["t"], listener: second)
    #expect(try heir.poll(maximum: 10, timeout: .zero).map(\.offset) == [0, 1, 2, 3])
    #expect(broker.committed(group: "g").isEmpty)

    #expect(try zombie.poll(maximum: 10, timeout: .zero).isEmpty)
    #expect(first.history.lost == 1)
    heir.close()
    #expect(try zombie.poll(maximum: 1, timeout: .zero).count == 1)
    #expect(first.history.assigned.count == 2)
  }

  @Test func offsetsCanBeHeldBackUntilAPartitionIsGivenUp() throws {
    let broker = InMemoryBroker(topics: ["t": 1])
    broker.commitStoredOffsetsAtOnce(false)
    try publish(numbered(0..<4, in: "t"), through: broker)
    let consumer = try broker.makeConsumer(group: "g", topics: ["t"], listener: RecordingListener())
    _ = try consumer.poll(maximum: 4, timeout: .zero)

    consumer.store(next: [Self.partition: 3])
    #expect(broker.committed(group: "g").isEmpty)
    consumer.close()
    #expect(broker.committed(group: "g") == [Self.partition: 3])
  }

  @Test func whatIsProducedWhileItIsDownComesWhenItIsUp() throws {
    let broker = InMemoryBroker(topics: ["t": 1])
    let producer = try broker.makeProducer()
    broker.takeDown()
    #expect(try producer.enqueue([(1, numbered(0..<1, in: "t")[0])]) == 1)
    #expect(producer.deliveries(timeout: .zero).isEmpty)
    #expect(throws: BrokerError.self) { try broker.makeAdmin().clusterID(timeout: .zero) }

    broker.bringUp()
    #expect(producer.deliveries(timeout: .zero).map(\.token) == [1])
    #expect(broker.records(of: "t").count == 1)
  }

  @Test func aLostLogBeginsAnewForEverybody() throws {
    let broker = InMemoryBroker(topics: ["t": 1])
    try publish(numbered(0..<4, in: "t"), through: broker)
    let listener = RecordingListener()
    let consumer = try broker.makeConsumer(group: "g", topics: ["t"], listener: listener)
    _ = try consumer.poll(maximum: 10, timeout: .zero)

    broker.loseData(newClusterID: "another")
    try publish(numbered(7..<8, in: "t"), through: broker)

    #expect(try consumer.poll(maximum: 10, timeout: .zero).map(number(of:)) == [7])
    #expect(listener.history.lost == 1)
    #expect(listener.history.assigned.last?[Self.partition]?.clusterID == "another")
  }

  @Test func anOffsetThatRetentionHasTakenIsReadFromTheEarliest() throws {
    let broker = InMemoryBroker(topics: ["t": 1])
    try publish(numbered(0..<10, in: "t"), through: broker)
    let consumer = try broker.makeConsumer(group: "g", topics: ["t"], listener: RecordingListener())
    #expect(try consumer.poll(maximum: 2, timeout: .zero).count == 2)

    broker.truncate(Self.partition, before: 6)

    #expect(try consumer.poll(maximum: 10, timeout: .zero).map(\.offset) == [6, 7, 8, 9])
  }
}

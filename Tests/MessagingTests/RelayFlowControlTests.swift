import Testing

@testable import Messaging

@Suite("Outbox relay: partitions that do not move")
struct RelayFlowControlTests {
  private func keys(of partition: Int32, count: Int, partitions: Int = 3) -> [String] {
    let keys = (0...).lazy.map { "key-\($0)" }
    return Array(
      keys.filter { MurmurPartitioner.partition(key: Array($0.utf8), partitions: partitions) == partition }
        .prefix(count))
  }

  @Test func aPartitionWithoutALeaderStopsItselfAndNotTheTable() throws {
    let world = try RelayWorld()
    world.configuration.maximumRows = 40
    world.configuration.retry.maxBackoff = .milliseconds(200)
    world.broker.onProduce { message in
      MurmurPartitioner.partition(key: message.key ?? [], partitions: 3) == 1 ? .fail(timedOut) : .acknowledge
    }
    let dead = keys(of: 1, count: 100)
    let living = keys(of: 0, count: 30) + keys(of: 2, count: 30)
    let relay = world.relay()
    let loop = relay.makeLoop()
    // The memory is full of rows that go nowhere, and some others have just arrived.
    try world.append(living[0])
    try world.append(dead)
    loop.settle(30)

    for key in living.dropFirst() {
      try world.append(key)
      relay.wake()
      world.advance(.milliseconds(500))
      loop.settle(4)
    }
    world.advance(.seconds(1))
    loop.settle(10)

    #expect(Set(world.published()) == Set(living.flatMap { world.appended[$0] ?? [] }))
    world.broker.onProduce(nil)
    for _ in 0..<20 {
      world.advance(.seconds(1))
      loop.settle(20)
    }
    world.expectFirstCopiesInOrder()
    #expect(try world.store.unpublished() == [])
  }

  @Test(.timeLimit(.minutes(1)))
  func aRelayThatAsksForOffsetsInVainStillHearsThatItIsToStop() throws {
    let world = try RelayWorld(partitions: 1)
    world.configuration.maxUnconsumedBytesPerPartition = 500
    world.configuration.consumerGroups = [RelayWorld.topic: ["slow"]]
    let relay = OutboxRelay(
      store: world.store.outbox, broker: BrokerWithoutOffsets(broker: world.broker, clock: world.store.clock),
      configuration: world.configuration, holder: .currentProcess(name: "relay"), logger: quietLogger)
    let loop = relay.makeLoop()
    try world.append((0..<60).map { "k\($0)" })
    loop.settle(30)
    #expect(!world.published().isEmpty)

    relay.bell.ring { $0.stop = true }
    loop.settle(10)

    #expect(loop.isFinished)
  }

  @Test func theRelayStaysWithinReachOfTheSlowestConsumer() throws {
    let world = try RelayWorld(partitions: 1)
    world.configuration.maxUnconsumedBytesPerPartition = 500
    world.configuration.consumerGroups = [RelayWorld.topic: ["fast", "slow"]]
    let consumers = try ["fast", "slow"].map { group in
      try world.broker.makeConsumer(group: group, topics: [RelayWorld.topic], listener: RecordingListener())
    }
    try world.append((0..<60).map { "k\($0)" })
    let loop = world.relay().makeLoop()
    loop.settle(30)
    let first = world.published().count
    #expect(first > 3 && first < 20)

    // The fast one has had everything; the slow one decides.
    func consume(_ consumer: any MessageConsumer) throws {
      consumer.store(next: nextOffsets(after: try consumer.poll(maximum: 1_000, timeout: .zero)))
    }
    try consume(consumers[0])
    world.advance(.milliseconds(150))
    loop.settle(30)
    #expect(world.published().count == first)

    for _ in 0..<40 {
      for consumer in consumers { try consume(consumer) }
      world.advance(.milliseconds(150))
      loop.settle(10)
    }
    #expect(world.published().count == 60)
    world.expectFirstCopiesInOrder()
  }

  @Test func aRelayThatTakesOverCountsWhatLiesThereAlready() throws {
    let world = try RelayWorld(partitions: 1)
    world.configuration.consumerGroups = [RelayWorld.topic: ["group"]]
    let consumer = try world.broker.makeConsumer(
      group: "group", topics: [RelayWorld.topic], listener: RecordingListener())
    try world.append((0..<50).map { "k\($0)" })
    world.relay("first").makeLoop().settle(30)
    world.advance(.seconds(4))

    world.configuration.maxUnconsumedBytesPerPartition = 20_000
    let relay = world.relay("second")
    let loop = relay.makeLoop()
    loop.settle(30)
    try world.append((0..<50).map { "k\($0)" })
    relay.wake()
    world.advance(.milliseconds(150))
    loop.settle(30)
    #expect(world.published().count == 50)

    for _ in 0..<10 {
      consumer.store(next: nextOffsets(after: try consumer.poll(maximum: 1_000, timeout: .zero)))
      world.advance(.milliseconds(150))
      loop.settle(10)
    }
    #expect(world.published().count == 100)
  }

  @Test func aTopicThatNobodyIsKnownToReadHasNoLimit() throws {
    let world = try RelayWorld(partitions: 1)
    world.configuration.maxUnconsumedBytesPerPartition = 500
    world.configuration.consumerGroups = ["another": ["group"]]
    try world.append((0..<60).map { "k\($0)" })

    world.relay().makeLoop().settle(30)

    #expect(world.published().count == 60)
  }
}

/// Its groups' coordinator is away: each question for committed offsets takes its whole time, and fails.
private struct BrokerWithoutOffsets: Broker {
  let broker: InMemoryBroker
  let clock: ManualClock

  func makeProducer() throws -> any MessageProducer { try broker.makeProducer() }

  func makeConsumer(
    group: String, topics: [String], listener: any PartitionListener
  ) throws -> any MessageConsumer {
    try broker.makeConsumer(group: group, topics: topics, listener: listener)
  }

  func makeAdmin() throws -> any BrokerAdmin { Admin(admin: try broker.makeAdmin(), clock: clock) }

  private struct Admin: BrokerAdmin {
    let admin: any BrokerAdmin
    let clock: ManualClock

    func clusterID(timeout: Duration) throws -> String { try admin.clusterID(timeout: timeout) }
    func topics(timeout: Duration) throws -> [String: Int] { try admin.topics(timeout: timeout) }
    func createTopics(_ topics: [TopicSpecification], timeout: Duration) throws {
      try admin.createTopics(topics, timeout: timeout)
    }
    func watermarks(of partition: TopicPartition, timeout: Duration) throws -> (start: Int64, end: Int64) {
      try admin.watermarks(of: partition, timeout: timeout)
    }
    func committed(
      group: String, partitions: [TopicPartition], timeout: Duration
    ) throws -> [TopicPartition: Int64] {
      clock.advance(by: timeout)
      throw timedOut
    }
    func close() { admin.close() }
  }
}

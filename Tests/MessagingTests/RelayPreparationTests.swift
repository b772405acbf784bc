import Messaging
import MessagingSQLite
import Synchronization
import Testing

/// What costs time is done before a row has to wait for it.
@Suite("Outbox relay: preparation")
struct RelayPreparationTests {
  @Test func theProducerHearsOfItsTopicsBeforeTheFirstRow() throws {
    let world = try RelayWorld()
    let broker = AttentiveBroker(broker: world.broker)
    world.configuration.topics = [RelayWorld.topic, "not-there-yet"]
    let loop = world.relay(through: broker).makeLoop()

    loop.settle()
    #expect(broker.prepared == [[RelayWorld.topic]])

    try world.broker.makeAdmin().createTopics(
      [TopicSpecification(name: "not-there-yet", partitions: 1, replicationFactor: 1)], timeout: .zero)
    world.advance(.seconds(5))
    loop.settle()
    #expect(broker.prepared == [[RelayWorld.topic], [RelayWorld.topic, "not-there-yet"]])

    world.advance(.seconds(60))
    loop.settle()
    #expect(broker.prepared.count == 2, "once is enough")
  }

  @Test func aProducerThatReplacesAnotherHearsOfThemToo() throws {
    let world = try RelayWorld()
    let broker = AttentiveBroker(broker: world.broker)
    world.configuration.topics = [RelayWorld.topic]
    let relay = world.relay(through: broker)
    let loop = relay.makeLoop()
    loop.settle()

    world.broker.breakProducers()
    try world.append("a")
    relay.wake()
    loop.settle(30)

    #expect(broker.prepared == [[RelayWorld.topic], [RelayWorld.topic]])
    #expect(try world.store.unpublished() == [])
  }

  @Test func newRowsGoOutBeforeWhatHasArrivedIsMarked() throws {
    let world = try RelayWorld()
    let relay = world.relay()
    let loop = relay.makeLoop()
    world.broker.holdAcknowledgements()
    try world.append("a")
    loop.settle()
    try world.append("b")
    relay.wake()
    let unpublished = Mutex<[Int?]>([])
    world.broker.onProduce { [outbox = world.store.outbox] _ in
      unpublished.withLock { $0.append((try? outbox.unpublishedCount()) ?? nil) }
      return .acknowledge
    }

    world.broker.releaseAcknowledgements()
    loop.settle()

    #expect(unpublished.withLock { $0 } == [2], "the first one had not been marked")
    #expect(try world.store.unpublished() == [])
  }
}

/// Notes which topics its producers are prepared for.
private final class AttentiveBroker: Broker {
  private let broker: InMemoryBroker
  private let notes = Mutex<[[String]]>([])

  init(broker: InMemoryBroker) { self.broker = broker }

  var prepared: [[String]] { notes.withLock { $0 } }

  func makeProducer() throws -> any MessageProducer {
    Producer(producer: try broker.makeProducer()) { topics in self.notes.withLock { $0.append(topics) } }
  }

  func makeConsumer(
    group: String, topics: [String], listener: any PartitionListener
  ) throws -> any MessageConsumer {
    try broker.makeConsumer(group: group, topics: topics, listener: listener)
  }

  func makeAdmin() throws -> any BrokerAdmin { try broker.makeAdmin() }

  private struct Producer: MessageProducer {
    let producer: any MessageProducer
    let note: @Sendable ([String]) -> Void

    func enqueue(_ messages: [(token: UInt64, message: OutgoingMessage)]) throws -> Int {
      try producer.enqueue(messages)
    }
    func prepare(for topics: [String]) { note(topics) }
    func deliveries(timeout: Duration) -> [DeliveryReport] { producer.deliveries(timeout: timeout) }
    func wake() { producer.wake() }
    func close(timeout: Duration) { producer.close(timeout: timeout) }
  }
}

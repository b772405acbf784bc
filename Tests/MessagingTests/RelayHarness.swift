import Logging
import MessagingSQLite
import Testing

@testable import Messaging

/// A relay's world in one thread: a store, a broker, and a clock that stands still until it is moved.
final class RelayWorld {
  static let topic = "orders"

  let store: StoreUnderTest
  let broker: InMemoryBroker
  var configuration = OutboxRelayConfiguration()
  private var nextEvent = 0
  /// What was appended, per key, in order.
  private(set) var appended: [String: [String]] = [:]

  init(partitions: Int = 3, topics: [String: Int] = [:], producerQueueLimit: Int = 100_000) throws {
    store = try StoreKind.memory.open()
    broker = InMemoryBroker(
      topics: topics.merging([Self.topic: partitions]) { $1 }, producerQueueLimit: producerQueueLimit,
      clocks: store.clock.clocks)
    configuration.clocks = store.clock.clocks
    configuration.seed = 1
    configuration.markInterval = .zero
  }

  func relay(_ name: String = "relay", through broker: (any Broker)? = nil) -> OutboxRelay<SQLiteOutbox> {
    OutboxRelay(
      store: store.outbox, broker: broker ?? self.broker, configuration: configuration,
      holder: .currentProcess(name: name),
      logger: quietLogger)
  }

  func append(_ keys: String..., topic: String = RelayWorld.topic) throws {
    try append(keys, topic: topic)
  }

  func append(_ keys: [String], topic: String = RelayWorld.topic) throws {
    for key in keys {
      nextEvent += 1
      let id = "\(key)-\(appended[key, default: []].count + 1)-\(nextEvent)"
      try store.append(outboxMessage(id, key: key, topic: topic))
      appended[key, default: []].append(id)
    }
  }

  func advance(_ duration: Duration) {
    store.clock.advance(by: duration)
  }

  /// The event ids on the topic, copies included, partition by partition.
  func published(of topic: String = RelayWorld.topic, key: String? = nil) -> [String] {
    broker.records(of: topic).filter { key == nil || $0.key == key.map { Array($0.utf8) } }.compactMap { record in
      record.headers.first { $0.name == "ce_id" }?.value.map { String(decoding: $0, as: UTF8.self) }
    }
  }

  /// Each key's first copies on the topic are what was appended, in that order.
  func expectFirstCopiesInOrder(_ comment: Comment? = nil) {
    for (key, ids) in appended {
      var seen: Set<String> = []
      #expect(published(key: key).filter { seen.insert($0).inserted } == ids, comment)
    }
  }
}

extension OutboxRelayLoop {
  /// Rounds without waiting: enough for everything that can happen at this moment.
  func settle(_ rounds: Int = 12) {
    for _ in 0..<rounds where !isFinished { turn(waitingAtMost: .zero) }
  }
}

/// Failures to order, by event id.
func failing(_ id: String, with error: BrokerError) -> @Sendable (OutgoingMessage) -> InMemoryBroker.Fate {
  { $0.headers.contains(Header("ce_id", id)) ? .fail(error) : .acknowledge }
}

let timedOut = BrokerError(kind: .retriable, name: "_MSG_TIMED_OUT", detail: "ordered by a test")
let tooLarge = BrokerError(kind: .permanent, name: "MSG_SIZE_TOO_LARGE", detail: "ordered by a test")

import MessagingKafka
import MessagingSQLite
import Synchronization
import TestSupport
import Testing

@testable import Messaging

/// Relay and worker through the real client and the real protocol.
@Suite("Relay and worker over the embedded broker", .timeLimit(.minutes(3)))
struct CoreEmbeddedBrokerTests {
  @Test func whatIsAppendedInOneStoreHasItsEffectOnceInAnother() async throws {
    let embedded = try EmbeddedBroker(topics: [(WorkerWorld.topic, 6)])
    defer { embedded.close() }
    let broker = kafkaBroker(on: embedded)
    let sending = try StoreKind.file.open()
    let world = try WorkerWorld()
    let keys = 200
    let versions: Int64 = 10
    let isDone = WakeSignal()
    let remaining = Mutex(keys * Int(versions))

    let relay = OutboxRelay(
      store: sending.outbox, broker: broker, holder: .currentProcess(name: "relay"), logger: quietLogger)
    sending.outbox.onCommit { relay.wake() }
    let worker = ConsumerWorker(
      group: WorkerWorld.group, topics: [WorkerWorld.topic], broker: broker, store: world.inbox, logger: quietLogger,
      interpret: TestEvent.interpret
    ) { event, _, transaction in
      try transaction.database.execute(
        sql: "INSERT INTO effects (event_id, event_key, version) VALUES (?, ?, ?)",
        arguments: [event.id, event.key, event.version])
      let left = remaining.withLock { remaining in
        remaining -= 1
        return remaining
      }
      if left <= 0 { transaction.afterCommit { isDone.wake() } }
    }
    let running = [Task { try await relay.run() }, Task { try await worker.run() }]

    for version in 1...versions {
      try await sending.database.write { [outbox = sending.outbox] transaction in
        for key in 0..<keys {
          let event = TestEvent.next("key-\(key)-", version)
          try outbox.append(
            OutboxMessage(eventID: event.id, eventType: "TEST", message: event.message()), in: transaction)
        }
      }
    }
    #expect(try await onThread { isDone.wait(atMost: .seconds(90)) })
    _ = try await eventually("all are marked") { try sending.unpublished().isEmpty ? true : nil }
    for task in running { task.cancel() }
    for task in running { try await task.value }

    for key in 0..<keys { #expect(try world.effects(of: "key-\(key)-") == (1...versions).map { "key-\(key)-\($0)" }) }
    #expect(try sending.unpublished() == [])
    #expect(worker.status().counts.handled == keys * Int(versions))
    #expect(try world.deadLetters() == [])
  }

  /// The client gives its messages up, and the relay does not: it begins again with the first of each key.
  @Test func anOutageLongerThanTheMessageTimeoutKeepsEachKeyInOrder() async throws {
    let embedded = try EmbeddedBroker(topics: [("orders", 3)])
    defer { embedded.close() }
    let broker = kafkaBroker(on: embedded, producer: ["message.timeout.ms": "1000"])
    let store = try StoreKind.file.open()
    var configuration = OutboxRelayConfiguration()
    configuration.retry.maxBackoff = .milliseconds(500)
    let relay = OutboxRelay(
      store: store.outbox, broker: broker, configuration: configuration, holder: .currentProcess(name: "relay"),
      logger: quietLogger)
    store.outbox.onCommit { relay.wake() }
    let running = Task { try await relay.run() }
    let keys = (0..<20).map { "key-\($0)" }
    func append(_ versions: ClosedRange<Int>) throws {
      for version in versions { for key in keys { try store.append(outboxMessage("\(key)/\(version)", key: key)) } }
    }

    try append(1...2)
    _ = try await eventually("the first are published") { try store.unpublished().isEmpty ? true : nil }
    try embedded.setDown()
    try append(3...6)
    _ = try await eventually("a message is given up") { relay.status().trouble == "_MSG_TIMED_OUT" ? true : nil }
    try embedded.setUp()
    _ = try await eventually("all are published") { try store.unpublished().isEmpty ? true : nil }
    running.cancel()
    try await running.value

    let ids = try await onThread {
      let admin = try broker.makeAdmin()
      defer { admin.close() }
      let count = try (Int32(0)..<3).reduce(0) { count, partition in
        let (start, end) = try admin.watermarks(of: TopicPartition("orders", partition), timeout: .seconds(10))
        return count + Int(end - start)
      }
      let consumer = try broker.makeConsumer(group: "reader", topics: ["orders"], listener: RecordingListener())
      defer { consumer.close() }
      return try receive(count, from: consumer).map { String(decoding: $0.headers[0].value ?? [], as: UTF8.self) }
    }
    for key in keys {
      var seen: Set<String> = []
      #expect(ids.filter { $0.hasPrefix(key + "/") && seen.insert($0).inserted } == (1...6).map { "\(key)/\($0)" })
    }
  }

  @Test func anEventThatIsRetriedForLongerThanThePollIntervalCostsNoRebalance() async throws {
    let embedded = try EmbeddedBroker(topics: [(WorkerWorld.topic, 1)])
    defer { embedded.close() }
    let lines = LogLines()
    let consumer = ["max.poll.interval.ms": "6000", "session.timeout.ms": "6000"]
    let broker = KafkaBroker(
      configuration: testConfiguration(embedded.bootstrapServers, consumer: consumer), logger: lines.logger)
    let world = try WorkerWorld()
    let firstAttempt = Mutex<ContinuousClock.Instant?>(nil)
    let worker = ConsumerWorker(
      group: WorkerWorld.group, topics: [WorkerWorld.topic], broker: broker, store: world.inbox,
      retry: RetryPolicy(maxAttempts: 10_000, maxBackoff: .milliseconds(400)), logger: quietLogger,
      interpret: TestEvent.interpret
    ) { event, _, transaction in
      let began = firstAttempt.withLock { first in
        first = first ?? .now
        return first ?? .now
      }
      guard ContinuousClock.now - began > .seconds(8) else { throw Ordered() }
      try transaction.database.execute(
        sql: "INSERT INTO effects (event_id, event_key, version) VALUES (?, ?, ?)",
        arguments: [event.id, event.key, event.version])
    }
    let running = Task { try await worker.run() }

    let events = [TestEvent.next("a", 1), TestEvent.next("a", 2)]
    try await onThread { try publish(events.map { $0.message() }, through: broker) }
    _ = try await eventually("both are handled") { try world.effects() == ["a1", "a2"] ? true : nil }
    running.cancel()
    try await running.value

    #expect(lines.all.count { $0.contains("Partitions were assigned") } == 1)
    #expect(!lines.all.contains { $0.contains("MAXPOLL") })
  }
}

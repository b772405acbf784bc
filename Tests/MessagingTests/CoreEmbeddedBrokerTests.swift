import MessagingKafka
import MessagingSQLite
import Synchronization
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
    for task in running { task.cancel() }
    for task in running { try await task.value }

    for key in 0..<keys { #expect(try world.effects(of: "key-\(key)-") == (1...versions).map { "key-\(key)-\($0)" }) }
    #expect(try sending.unpublished() == [])
    #expect(worker.status().counts.handled == keys * Int(versions))
    #expect(try world.deadLetters() == [])
  }
}

import MessagingSQLite
import Synchronization
import Testing

@testable import Messaging

/// Records have no savepoints as long as all goes well; nobody may notice.
@Suite("Consumer worker: savepoints")
struct WorkerSavepointTests {
  /// Ids and attempts in the order in which the handler was asked.
  private final class Calls: Sendable {
    private let calls = Mutex<[String]>([])
    func note(_ event: TestEvent, _ delivery: Delivery) {
      calls.withLock { $0.append("\(event.id)@\(delivery.attempt)") }
    }
    func number(of call: String) -> Int { calls.withLock { $0.count { $0 == call } } }
  }

  private func retry(_ world: WorkerWorld, _ loop: ConsumerWorkerLoop<FlakyInbox, TestEvent>) throws {
    for _ in 0..<4 {
      world.advance(.seconds(2))
      try loop.settle()
    }
  }

  @Test(arguments: [0, 1, 15, 16, 17, 39, 63, 64, 65, 127, 128, 159])
  func whatFailsIsUndoneAloneWhereverItStands(_ place: Int) throws {
    let world = try WorkerWorld(partitions: 1)
    let (calls, poison) = (Calls(), "key-\(place)1")
    world.failure.set { event, delivery in
      calls.note(event, delivery)
      return event.id == poison ? Ordered() : nil
    }
    let events = (0..<160).map { TestEvent.next("key-\($0)", 1) }
    try world.publish(events)
    let worker = world.worker()
    let loop = worker.makeLoop()
    try loop.settle()
    #expect(try world.effects() == events.prefix(place).map(\.id))
    #expect(worker.status().counts.handled == place)
    #expect(worker.status().counts.consumed == place)

    try retry(world, loop)

    #expect(try world.effects() == events.map(\.id).filter { $0 != poison })
    #expect(try world.deadLetters() == [poison])
    // Each failure was one attempt, and the handler was asked once for it.
    #expect((1...3).map { calls.number(of: "\(poison)@\($0)") } == [1, 1, 1])
    #expect(worker.status().counts.handled == 159)
    #expect(worker.status().counts.retries == 2)
    #expect(worker.status().counts.deadLettered == 1)
  }

  @Test(arguments: [1, 3])
  func everyEventMayFail(of partitions: Int) throws {
    let world = try WorkerWorld(partitions: partitions)
    let calls = Calls()
    world.failure.set { event, delivery in
      calls.note(event, delivery)
      return DeadLetterError("each of them")
    }
    let events = (0..<160).map { TestEvent.next("key-\($0)", 1) }
    try world.publish(events)
    let worker = world.worker()

    try worker.makeLoop().settle()

    #expect(try world.effects() == [])
    #expect(try world.deadLetters().sorted() == events.map(\.id).sorted())
    #expect(events.allSatisfy { calls.number(of: "\($0.id)@1") == 1 })
    #expect(worker.status().counts.deadLettered == 160)
    #expect(world.committed.values.reduce(0, +) == 160)
  }

  @Test func aCopyOfAFailureInItsBatchIsADuplicate() throws {
    let world = try WorkerWorld(partitions: 1)
    let calls = Calls()
    world.failure.set { event, delivery in
      calls.note(event, delivery)
      return event.id == "bad1" ? DeadLetterError("ordered") : nil
    }
    try world.publish(.next("a", 1), .next("bad", 1), .next("a", 1), .next("bad", 1), .next("b", 1))
    let worker = world.worker()

    try worker.makeLoop().settle()

    #expect(try world.effects() == ["a1", "b1"])
    #expect(try world.deadLetters() == ["bad1"])
    #expect(calls.number(of: "bad1@1") == 1)
    #expect(worker.status().counts.duplicates == 2)
  }

  @Test func aHandlerWithASavepointOfItsOwnFailsAsOthersDo() throws {
    let world = try WorkerWorld(partitions: 1)
    let worker = ConsumerWorker(
      group: WorkerWorld.group, topics: [WorkerWorld.topic], broker: world.broker, store: world.inbox,
      retry: world.retry, configuration: world.configuration, logger: quietLogger, interpret: TestEvent.interpret
    ) { event, _, transaction in
      try transaction.savepoint {
        try transaction.database.execute(
          sql: "INSERT INTO effects (event_id, event_key, version) VALUES (?, ?, ?)",
          arguments: [event.id, event.key, event.version])
        if event.id == "bad1" { throw DeadLetterError("ordered") }
      }
    }
    try world.publish(.next("a", 1), .next("bad", 1), .next("b", 1))

    try worker.makeLoop().settle()

    #expect(try world.effects() == ["a1", "b1"])
    #expect(try world.deadLetters() == ["bad1"])
  }

  @Test func aFailureChangesNothingAboutWhatCameBeforeIt() throws {
    let world = try WorkerWorld(partitions: 1)
    world.failure.set { event, _ in event.id == "bad1" ? DeadLetterError("ordered") : nil }
    try world.publish(
      .next("a", 1), TestEvent("u", key: "u", version: 1, what: "unreadable"), .next("a", 1),
      TestEvent("late", key: "a", version: 1), TestEvent("i", key: "i", version: nil, what: "ignored"),
      TestEvent("w", key: "w", version: 1, what: "without effect"), .next("bad", 1), .next("b", 1))
    let worker = world.worker()

    try worker.makeLoop().settle()

    let counts = worker.status().counts
    #expect(try world.effects() == ["a1", "b1"])
    #expect(try world.deadLetters() == ["u", "bad1"])
    #expect(
      [counts.handled, counts.duplicates, counts.stale, counts.ignored, counts.withoutEffect] == [2, 1, 1, 1, 1])
    #expect(counts.deadLettered == 2)
    #expect(try world.store.count("SELECT COUNT(*) FROM outbox WHERE topic = 'orders-dlq'") == 2)
  }

  @Test func successorsParkedInTheSameBatchFollow() throws {
    let world = try WorkerWorld(partitions: 1)
    try world.publish(.next("b", 1), .next("a", 3), .next("a", 2), .next("c", 1), .next("a", 1), .next("b", 2))
    let worker = world.worker()

    try worker.makeLoop().settle()

    #expect(try world.effects() == ["b1", "c1", "a1", "a2", "a3", "b2"])
  }

  @Test func successorsThatAnotherProcessHasParkedFollow() throws {
    let world = try WorkerWorld(partitions: 1)
    let worker = world.worker()
    let loop = worker.makeLoop()
    try world.publish(.next("b", 1))
    try loop.settle()
    let event = TestEvent.next("a", 2)
    let identity = EventIdentity(eventID: event.id, eventType: "TEST", key: event.key, version: event.version)
    let record = ConsumedRecord(
      topicPartition: TopicPartition(WorkerWorld.topic, 7), offset: 1, key: event.message().key,
      value: event.message().value)
    try world.inbox.transact { [inbox = world.inbox] transaction in
      let entry = InboxEntry(identity: identity, topicPartition: record.topicPartition, offset: 1, attempts: 1)
      _ = try inbox.register(entry, outcome: .parked, in: transaction)
      try inbox.park(ParkedRecord(identity: identity, record: record), in: transaction)
    }

    // The clock stands still: nothing is swept, so the event itself has to find what follows it.
    try world.publish(.next("a", 1))
    try loop.settle()

    #expect(try world.effects() == ["b1", "a1", "a2"])
    #expect(try world.store.count("SELECT COUNT(*) FROM parked_events") == 0)
  }
}

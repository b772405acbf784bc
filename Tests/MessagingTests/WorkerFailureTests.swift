import MessagingSQLite
import Synchronization
import Testing

@testable import Messaging

/// Every failure has a decision, and holds up nobody else.
@Suite("Consumer worker: failures")
struct WorkerFailureTests {
  private static func poison(_ id: String, from attempt: Int = 1, to last: Int = .max) -> FailureSwitch.Decision {
    { event, delivery in event.id == id && (attempt...last).contains(delivery.attempt) ? Ordered() : nil }
  }

  private func retry(_ world: WorkerWorld, _ loop: ConsumerWorkerLoop<FlakyInbox, TestEvent>, times: Int = 4) throws {
    for _ in 0..<times {
      world.advance(.seconds(2))
      try loop.settle()
    }
  }

  @Test func anAttemptThatFailsLeavesNothingAndIsMadeAgain() throws {
    let world = try WorkerWorld(partitions: 1)
    world.failure.set(Self.poison("a1", to: 2))
    try world.publish(.next("a", 1), .next("a", 2))
    let worker = world.worker()
    let loop = worker.makeLoop()
    try loop.settle()
    #expect(try world.effects() == [])
    #expect(worker.status().backoffs.map(\.eventID) == ["a1"])
    #expect(worker.status().counts.retries == 1)
    #expect(world.committed.isEmpty)

    try retry(world, loop)

    #expect(try world.effects() == ["a1", "a2"])
    #expect(worker.status().backoffs.isEmpty)
    #expect(worker.status().counts.retries == 2)
    #expect(try world.deadLetters() == [])
  }

  @Test func poisonIsADeadLetterAfterThreeAttemptsWhileOtherKeysFlow() throws {
    let world = try WorkerWorld()
    let attempts = Mutex<[Int]>([])
    world.failure.set { event, delivery in
      guard event.id == "a1" else { return nil }
      attempts.withLock { $0.append(delivery.attempt) }
      return Ordered()
    }
    let others = (0..<30).map { "key-\($0)" }
    try world.publish([.next("a", 1), .next("a", 2)] + others.map { .next($0, 1) })
    let worker = world.worker()
    let loop = worker.makeLoop()
    try loop.settle()
    // The other partitions are through; those behind the poison on its own partition wait for it.
    let stopped = MurmurPartitioner.partition(key: Array("a".utf8), partitions: 3)
    let flowing = others.filter { MurmurPartitioner.partition(key: Array($0.utf8), partitions: 3) != stopped }
    #expect(try Set(world.effects()) == Set(flowing.map { "\($0)1" }))

    try retry(world, loop)

    #expect(attempts.withLock { $0 } == [1, 2, 3])
    #expect(try Set(world.effects()) == Set(others.map { "\($0)1" }))
    #expect(try world.deadLetters() == ["a1"])
    #expect(try world.outcome(of: "a1") == "dead_lettered")
    // Its later events are parked behind it.
    #expect(try world.outcome(of: "a2") == "parked")
    #expect(worker.status().counts.deadLettered == 1)
    #expect(world.committed.values.reduce(0, +) == 32)
    #expect(try world.store.count("SELECT COUNT(*) FROM outbox WHERE topic = 'orders-dlq'") == 1)
  }

  @Test func whatCannotBecomeBetterIsADeadLetterAtOnce() throws {
    let world = try WorkerWorld(partitions: 1)
    world.failure.set { event, _ in event.id == "a1" ? DeadLetterError("UNKNOWN_ORDER") : nil }
    try world.publish(.next("a", 1), .next("b", 1))
    let worker = world.worker()

    try worker.makeLoop().settle()

    #expect(try world.deadLetters() == ["a1"])
    #expect(try world.effects() == ["b1"])
    #expect(worker.status().counts.retries == 0)
  }

  @Test func theCopyOfADeadLetterIsADuplicate() throws {
    let world = try WorkerWorld(partitions: 1)
    world.failure.set { event, _ in event.id == "a1" ? DeadLetterError("no") : nil }
    try world.publish(.next("a", 1), .next("a", 1))
    let worker = world.worker()

    try worker.makeLoop().settle()

    #expect(try world.deadLetters() == ["a1"])
    #expect(worker.status().counts.duplicates == 1)
  }

  @Test func nothingOnATopicCanStopAWorker() throws {
    let world = try WorkerWorld(partitions: 1)
    let values: [[UInt8]?] = [
      nil, [], [0xFF, 0xFE, 0x00], Array(repeating: UInt8(ascii: "["), count: 100_000), Array("{\"a\":1e99}".utf8),
      Array(repeating: 7, count: 1_000_000),
    ]
    let headers = [
      Header("ce_id", "x"), Header("ce_id", "y"), Header(name: "b", value: [0xFF]), Header(name: "n", value: nil),
    ]
    try world.publish(
      values.flatMap { value in
        [nil, [], [0xC0], Array("key".utf8)].map { key in
          OutgoingMessage(topic: WorkerWorld.topic, key: key, value: value, headers: headers)
        }
      })
    try world.publish(.next("a", 1))
    let worker = world.worker()

    try worker.makeLoop().settle()

    #expect(try world.effects() == ["a1"])
    #expect(try Set(world.deadLetters()).count == values.count * 4)
    #expect(worker.status().counts.deadLettered == values.count * 4)
    #expect(world.committed.values.first == Int64(values.count * 4 + 1))
  }

  @Test func anUnreadableRecordIsOneDeadLetterHoweverOftenItIsRead() throws {
    let world = try WorkerWorld(partitions: 1)
    world.broker.commitStoredOffsetsAtOnce(false)
    try world.publish([OutgoingMessage(topic: WorkerWorld.topic, key: nil, value: [1])])
    let first = world.worker()
    let loop = first.makeLoop()
    try loop.settle()
    let member = try #require(first.status().consumer?.memberID)
    loop.abandon()
    world.broker.expel(member, from: WorkerWorld.group)
    let second = world.worker()

    try second.makeLoop().settle()

    #expect(try world.deadLetters().count == 1)
    #expect(second.status().counts.duplicates == 1)
  }

  @Test func anUnreadableRecordWithTheIDOfAProcessedEventIsADeadLetterOnce() throws {
    let world = try WorkerWorld(partitions: 1)
    var changed = TestEvent.next("a", 1)
    changed.what = "unreadable"
    try world.publish(.next("a", 1), changed, changed, .next("a", 2))
    let worker = world.worker()

    try worker.makeLoop().settle()

    #expect(try world.deadLetters() == ["a1"])
    #expect(try world.outcome(of: "a1") == "processed")
    #expect(try world.effects() == ["a1", "a2"])
    #expect(worker.status().counts.duplicates == 1)
  }

  @Test func aParkedEventThatFailsIsTriedAgainAndThenADeadLetter() async throws {
    let world = try WorkerWorld(partitions: 1)
    world.failure.set(Self.poison("a2"))
    try world.publish(.next("a", 3), .next("a", 2), .next("a", 1), .next("b", 1))
    let worker = world.worker()
    let loop = worker.makeLoop()
    try loop.settle()
    // Its predecessor is through, whatever becomes of it, and nobody else waits for it.
    #expect(try world.effects() == ["a1", "b1"])
    #expect(worker.status().backoffs.isEmpty)
    let waiting = try #require(try await world.store.inbox.parked(limit: 1).first)
    #expect(waiting.identity.eventID == "a2" && waiting.attempts == 1 && waiting.error == "Ordered()")
    #expect(waiting.waitingForVersion == 2 && waiting.deadLetterID == nil)
    // About to be tried again: that is no gap.
    #expect(try await world.store.inbox.summary().oldestGap == nil)

    try retry(world, loop)

    #expect(try world.deadLetters() == ["a2"])
    #expect(worker.status().counts.retries == 2)
    #expect(try world.outcome(of: "a2") == "dead_lettered")
    #expect(try world.outcome(of: "a3") == "parked")
    #expect(try world.effects() == ["a1", "b1"])
  }

  @Test func aParkedEventThatFailsOnceFollowsAfterARestart() throws {
    let world = try WorkerWorld(partitions: 1)
    world.failure.set(Self.poison("a2"))
    try world.publish(.next("a", 2), .next("a", 1))
    let first = world.worker().makeLoop()
    try first.settle()
    first.close()
    #expect(try world.effects() == ["a1"])

    world.failure.set { _, _ in nil }
    // Its rest is in the store, and holds for whoever comes.
    let second = world.worker().makeLoop()
    try second.settle()
    #expect(try world.effects() == ["a1"])

    try retry(world, second, times: 1)

    #expect(try world.effects() == ["a1", "a2"])
  }

  // MARK: The store

  @Test func aStoreThatIsAwayForAWhileLosesNothingAndCountsNoAttempt() throws {
    let world = try WorkerWorld()
    try world.publish(.next("a", 1), .next("b", 1), .next("a", 2))
    world.inbox.fails { .before }
    let worker = world.worker()
    let loop = worker.makeLoop()
    for _ in 0..<20 {
      try loop.settle()
      world.advance(.seconds(1))
    }
    #expect(worker.status().trouble == "ordered")
    #expect(worker.status().consumer?.assignment?.allSatisfy(\.isPaused) == true)
    #expect(try world.effects() == [] && world.committed.isEmpty)

    world.inbox.fails { .none }
    try retry(world, loop)

    #expect(try world.effects(of: "a") == ["a1", "a2"])
    #expect(try world.effects(of: "b") == ["b1"])
    #expect(worker.status().trouble == nil)
    #expect(worker.status().counts.retries == 0)
    #expect(worker.status().consumer?.assignment?.contains(where: \.isPaused) == false)
  }

  /// Found by the simulation: nothing was left that would have asked the store again, so it stayed paused for ever.
  @Test func losingItsPartitionsWhileTheStoreIsAwayDoesNotParalyseAMember() throws {
    let world = try WorkerWorld(partitions: 1)
    try world.publish(.next("a", 1))
    world.inbox.fails { .before }
    let worker = world.worker()
    let loop = worker.makeLoop()
    try loop.settle(1)
    world.broker.expel(try #require(worker.status().consumer?.memberID), from: WorkerWorld.group)

    try loop.settle(1)
    world.inbox.fails { .none }
    try retry(world, loop)

    #expect(try world.effects() == ["a1"])
  }

  @Test func aCommitWhoseAnswerWasLostHasNoSecondEffect() throws {
    let world = try WorkerWorld()
    let isFirst = Mutex(true)
    world.inbox.fails {
      isFirst.withLock { first in
        defer { first = false }
        return first ? .afterCommit : .none
      }
    }
    try world.publish(.next("a", 1), .next("a", 2), .next("b", 1))
    let worker = world.worker()
    let loop = worker.makeLoop()
    try loop.settle()

    try retry(world, loop)

    #expect(try world.effects(of: "a") == ["a1", "a2"])
    #expect(try world.effects().count == 3)
    #expect(worker.status().counts.duplicates == 3)
    #expect(world.committed.values.reduce(0, +) == 3)
  }

  @Test func aHandlerThatFindsTheStoreFullWaitsWithTheWholeBatch() throws {
    let world = try WorkerWorld(partitions: 1)
    world.failure.set { event, _ in event.id == "b1" ? StoreUnavailable("full") : nil }
    try world.publish(.next("a", 1), .next("b", 1), .next("c", 1))
    let worker = world.worker()
    let loop = worker.makeLoop()
    try loop.settle()
    try retry(world, loop)
    #expect(try world.effects() == [])
    #expect(worker.status().trouble == "full")

    world.failure.set { _, _ in nil }
    try retry(world, loop)

    #expect(try world.effects() == ["a1", "b1", "c1"])
    #expect(try world.deadLetters() == [])
  }

  @Test func damageStopsTheServiceAndWritesNothing() throws {
    let world = try WorkerWorld(partitions: 1)
    world.failure.set { event, _ in event.id == "b1" ? StopConsuming("not our file") : nil }
    try world.publish(.next("a", 1), .next("b", 1))
    let loop = world.worker().makeLoop()

    #expect(throws: StopConsuming("not our file")) { try loop.settle() }

    #expect(try world.effects() == [] && world.committed.isEmpty)
  }

  @Test(arguments: [FlakyInbox.Fault.before, .afterCommit])
  func memoryIsBoundedWhileTheStoreIsAway(_ fault: FlakyInbox.Fault) throws {
    let world = try WorkerWorld()
    world.configuration.maximumQueued = 20
    world.configuration.maximumBatch = 10
    world.inbox.fails { fault }
    try world.publish((0..<300).map { .next("key-\($0)", 1) })
    let worker = world.worker()
    let loop = worker.makeLoop()
    for _ in 0..<10 {
      try loop.settle()
      world.advance(.seconds(1))
    }
    #expect(worker.status().queued <= 20)

    world.inbox.fails { .none }
    for _ in 0..<10 { try retry(world, loop) }
    #expect(try world.effects().count == 300)
    #expect(worker.status().queued == 0)
  }

  @Test func aBrokerThatIsAwayIsWaitedFor() throws {
    let world = try WorkerWorld()
    world.broker.takeDown()
    let worker = world.worker()
    let loop = worker.makeLoop()
    try loop.settle()
    #expect(worker.status().trouble != nil)

    world.broker.bringUp()
    try world.publish(.next("a", 1))
    try loop.settle()
    #expect(try world.effects() == ["a1"])
  }
}

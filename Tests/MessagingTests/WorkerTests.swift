import MessagingSQLite
import Testing

@testable import Messaging

/// The worker over a store in memory and a broker in memory, step by step in this thread.
@Suite("Consumer worker")
struct WorkerTests {
  @Test func handlesEventsOfAKeyInOrderAndCommitsAfterwards() throws {
    let world = try WorkerWorld()
    try world.publish(.next("a", 1), .next("b", 1), .next("a", 2), .next("a", 3), .next("b", 2))
    let worker = world.worker()

    try worker.makeLoop().settle()

    #expect(try world.effects(of: "a") == ["a1", "a2", "a3"])
    #expect(try world.effects(of: "b") == ["b1", "b2"])
    #expect(world.committed.values.reduce(0, +) == 5)
    #expect(worker.status().counts.handled == 5 && worker.status().counts.consumed == 5)
    #expect(try world.inbox.nextOffsets(cluster: "in-memory-1") == world.committed)
  }

  @Test func aBatchIsOneTransaction() throws {
    let world = try WorkerWorld()
    let loop = world.worker().makeLoop()
    try loop.settle()
    try world.publish((1...200).map { .next("k\($0 % 20)", Int64(($0 - 1) / 20 + 1)) })
    let commits = world.store.database.statistics.commits

    try loop.settle()

    #expect(try world.effects().count == 200)
    #expect(world.store.database.statistics.commits == commits + 1)
  }

  @Test func theNextBatchIsTakenWhileTheStoreWrites() throws {
    let world = try WorkerWorld(partitions: 1)
    world.configuration.maximumBatch = 4
    let worker = world.worker()
    let loop = worker.makeLoop()
    try loop.settle()
    try world.publish((1...11).map { .next("a", Int64($0)) })
    let commits = world.store.database.statistics.commits

    try loop.turn(waitingAtMost: .zero)
    #expect(worker.status().counts.consumed == 4 && worker.status().queued == 4)
    try loop.turn(waitingAtMost: .zero)
    #expect(worker.status().counts.consumed == 8 && worker.status().queued == 3)
    #expect(world.committed.values.reduce(0, +) == 8)
    try loop.settle()

    #expect(try world.effects() == (1...11).map { "a\($0)" })
    #expect(world.store.database.statistics.commits == commits + 3)
  }

  @Test func aPartitionThatHasMoreGetsWhatOthersLeaveOfTheirShare() throws {
    let world = try WorkerWorld(partitions: 2)
    world.configuration.maximumBatch = 10
    let keys = ["a", "b", "c", "d"]
    let (first, other) = (keys[0], try #require(keys.first { partition(of: $0) != partition(of: keys[0]) }))
    let worker = world.worker()
    let loop = worker.makeLoop()
    try loop.settle()
    try world.publish((1...2).map { .next(first, Int64($0)) } + (1...20).map { .next(other, Int64($0)) })

    try loop.turn(waitingAtMost: .zero)

    #expect(worker.status().counts.consumed == 10)
    try loop.settle()
    #expect(try world.effects(of: first).count == 2 && world.effects(of: other) == (1...20).map { "\(other)\($0)" })
  }

  private func partition(of key: String) -> Int32 {
    MurmurPartitioner.partition(key: Array(key.utf8), partitions: 2)
  }

  @Test func whatWasTakenAheadOutlivesABatchThatIsNotCommitted() throws {
    let world = try WorkerWorld(partitions: 1)
    world.configuration.maximumBatch = 4
    let loop = world.worker().makeLoop()
    try loop.settle()
    try world.publish((1...11).map { .next("a", Int64($0)) })

    world.inbox.fails { .afterCommit }
    try loop.turn(waitingAtMost: .zero)
    world.inbox.fails { .none }
    for _ in 0..<10 {
      world.advance(.seconds(2))
      try loop.turn(waitingAtMost: .zero)
    }

    #expect(try world.effects() == (1...11).map { "a\($0)" })
    #expect(world.committed.values.reduce(0, +) == 11)
  }

  @Test func whatWasTakenAheadGoesWithItsPartition() throws {
    let world = try WorkerWorld(partitions: 2)
    world.configuration.maximumBatch = 2
    // The second member gets the second partition.
    let keys = Array((0..<100).map { "key-\($0)" }.filter { partition(of: $0) == 1 }.prefix(2))
    let leaving = world.worker()
    let first = leaving.makeLoop()
    try first.settle()
    try world.publish((1...8).flatMap { version in keys.map { .next($0, Int64(version)) } })
    try first.turn(waitingAtMost: .zero)
    #expect(leaving.status().queued == 2)

    let coming = world.worker()
    let second = coming.makeLoop()
    for _ in 0..<20 {
      try second.turn(waitingAtMost: .zero)
      try first.turn(waitingAtMost: .zero)
    }

    for key in keys { #expect(try world.effects(of: key) == (1...8).map { "\(key)\($0)" }) }
    #expect(leaving.status().counts.handled == 2 && coming.status().counts.handled == 14)
    #expect(leaving.status().counts.duplicates + coming.status().counts.duplicates == 0)
  }

  @Test func duplicatesAreDroppedAndCounted() throws {
    let world = try WorkerWorld()
    try world.publish(.next("a", 1), .next("a", 1), .next("a", 2), .next("a", 1), .next("a", 2))
    let worker = world.worker()

    try worker.makeLoop().settle()

    #expect(try world.effects() == ["a1", "a2"])
    #expect(worker.status().counts.duplicates == 3)
  }

  @Test func anUnorderedEventIsHandledOnceWithoutACursor() throws {
    let world = try WorkerWorld()
    let event = TestEvent("x", key: "a", version: nil)
    try world.publish(event, event)
    let worker = world.worker()

    try worker.makeLoop().settle()

    #expect(try world.effects() == ["x"])
    #expect(worker.status().counts.duplicates == 1)
  }

  @Test func aVersionAtOrBelowTheCursorIsDroppedWithoutATrace() throws {
    let world = try WorkerWorld()
    let late = TestEvent("late", key: "a", version: 1)
    try world.publish(.next("a", 1), .next("a", 2), late, late, TestEvent("zero", key: "a", version: 0))
    let worker = world.worker()

    try worker.makeLoop().settle()

    #expect(try world.effects() == ["a1", "a2"])
    #expect(worker.status().counts.stale == 3)
    #expect(worker.status().counts.duplicates == 0)
    #expect(try world.outcome(of: "late") == nil)
  }

  @Test func versionThreeBeforeTwoIsParkedAndThenHandled() throws {
    let world = try WorkerWorld()
    try world.publish(.next("a", 1), .next("a", 4), .next("a", 3), .next("b", 1))
    let worker = world.worker()
    let loop = worker.makeLoop()
    try loop.settle()
    #expect(try world.effects() == ["a1", "b1"] || world.effects() == ["b1", "a1"])
    #expect(try world.outcome(of: "a3") == "parked")
    #expect(worker.status().counts.parked == 2)
    // What is parked is kept in the store: the group moves on.
    #expect(world.committed.values.reduce(0, +) == 4)

    try world.publish(.next("a", 2))
    try loop.settle()

    #expect(try world.effects(of: "a") == ["a1", "a2", "a3", "a4"])
    #expect(try world.outcome(of: "a3") == "processed")
    #expect(try world.store.count("SELECT COUNT(*) FROM parked_events") == 0)
  }

  @Test func theCopyOfAParkedEventIsADuplicate() throws {
    let world = try WorkerWorld()
    try world.publish(.next("a", 1), .next("a", 3), .next("a", 3))
    let worker = world.worker()
    let loop = worker.makeLoop()
    try loop.settle()
    #expect(worker.status().counts.parked == 1)
    #expect(worker.status().counts.duplicates == 1)
    #expect(try world.outcome(of: "a3") == "parked")

    try world.publish(.next("a", 2))
    try loop.settle()

    #expect(try world.effects() == ["a1", "a2", "a3"])
  }

  @Test func anEventWithoutEffectTakesItsPlace() throws {
    let world = try WorkerWorld()
    try world.publish(
      .next("a", 1), .next("a", 3, what: "without effect"), .next("a", 4), .next("a", 2, what: "without effect"),
      .next("a", 9, what: "ignored"), TestEvent("n", key: "a", version: nil, what: "without effect"))
    let worker = world.worker()

    try worker.makeLoop().settle()

    #expect(try world.effects() == ["a1", "a4"])
    #expect(worker.status().counts.withoutEffect == 2)
    #expect(worker.status().counts.ignored == 2)
  }

  @Test func aHugeVersionIsParkedAndHarmless() throws {
    let world = try WorkerWorld()
    try world.publish(.next("a", .max), .next("a", 1), .next("a", .min))

    try world.worker().makeLoop().settle()

    #expect(try world.effects() == ["a1"])
    #expect(try world.store.count("SELECT COUNT(*) FROM parked_events") == 1)
  }

  // MARK: Starting

  @Test func aNewWorkerGoesOnWhereTheLastStopped() throws {
    let world = try WorkerWorld()
    try world.publish(.next("a", 1), .next("b", 1))
    let first = world.worker().makeLoop()
    try first.settle()
    first.close()
    try world.publish(.next("a", 2))
    let second = world.worker()

    try second.makeLoop().settle()

    #expect(try world.effects(of: "a") == ["a1", "a2"])
    #expect(second.status().counts.consumed == 1)
  }

  @Test func aDeathBeforeTheCommitMakesDuplicatesAndNoSecondEffect() throws {
    let world = try WorkerWorld()
    world.broker.commitStoredOffsetsAtOnce(false)
    try world.publish(.next("a", 1), .next("a", 2))
    let first = world.worker()
    let loop = first.makeLoop()
    try loop.settle()
    let member = try #require(first.status().consumer?.memberID)
    loop.abandon()
    world.broker.expel(member, from: WorkerWorld.group)
    #expect(world.committed.isEmpty)

    let second = world.worker()
    try second.makeLoop().settle()

    #expect(try world.effects() == ["a1", "a2"])
    #expect(second.status().counts.duplicates == 2)
  }

  @Test func aStoreFromYesterdayReadsAgainWhatItHasForgotten() throws {
    let world = try WorkerWorld(partitions: 1)
    try world.publish(.next("a", 1), .next("a", 2), .next("a", 3))
    let first = world.worker().makeLoop()
    try first.settle()
    first.close()
    #expect(world.committed.values.first == 3)
    // The copy is of the moment after a1.
    try world.store.database.writeBlocking { transaction in
      try transaction.database.execute(
        sql: """
          DELETE FROM effects WHERE event_id != 'a1';
          DELETE FROM processed_events WHERE event_id != 'a1';
          UPDATE key_cursors SET version = 1;
          UPDATE next_offsets SET next_offset = 1;
          """)
    }

    let second = world.worker()
    try second.makeLoop().settle()

    #expect(try world.effects() == ["a1", "a2", "a3"])
    #expect(second.status().counts.consumed == 2)
  }

  @Test func aNewBrokerIsReadFromItsBeginning() throws {
    let world = try WorkerWorld()
    try world.publish(.next("a", 1), .next("a", 2), .next("a", 3))
    let worker = world.worker()
    let loop = worker.makeLoop()
    try loop.settle()

    world.broker.loseData(newClusterID: "another")
    try world.publish(.next("a", 1), .next("a", 2), .next("a", 3), .next("a", 4))
    try loop.settle()

    #expect(try world.effects() == ["a1", "a2", "a3", "a4"])
    #expect(worker.status().counts.duplicates == 3)
  }

  @Test func aStoreThatCannotSayWhereToStartIsReadForFromTheBeginning() throws {
    let world = try WorkerWorld()
    try world.publish(.next("a", 1), .next("b", 1))
    let first = world.worker().makeLoop()
    try first.settle()
    first.close()
    world.inbox.failsToReadOffsets(true)

    let second = world.worker()
    try second.makeLoop().settle()

    #expect(second.status().counts.duplicates == 2)
    #expect(try world.effects().count == 2)
  }

  // MARK: Several members

  @Test func aRebalanceMidStreamHandlesEverythingOnceInEffect() throws {
    let world = try WorkerWorld(partitions: 6)
    let keys = (0..<30).map { "key-\($0)" }
    try world.publish(keys.map { .next($0, 1) })
    world.configuration.maximumBatch = 7
    let (first, second) = (world.worker(), world.worker())
    let (firstLoop, secondLoop) = (first.makeLoop(), second.makeLoop())
    try firstLoop.settle(2)
    try world.publish(keys.map { .next($0, 2) })
    for _ in 0..<6 {
      try firstLoop.settle(1)
      try secondLoop.settle(1)
    }
    #expect(first.status().consumer?.assignment?.count == 3)
    #expect(second.status().consumer?.assignment?.count == 3)
    try world.publish(keys.map { .next($0, 3) })
    try secondLoop.settle(2)
    secondLoop.close()
    try firstLoop.settle(30)

    for key in keys { #expect(try world.effects(of: key) == (1...3).map { "\(key)\($0)" }) }
  }

  @Test func aMemberThatWasTakenForDeadDoesNoHarm() throws {
    let world = try WorkerWorld(partitions: 1)
    world.broker.commitStoredOffsetsAtOnce(false)
    let (first, second) = (world.worker(), world.worker())
    let (firstLoop, secondLoop) = (first.makeLoop(), second.makeLoop())
    try world.publish(.next("a", 1), .next("a", 2))
    try firstLoop.settle()

    // Stopped past its session timeout, and continued after another has taken over.
    world.broker.expel(try #require(first.status().consumer?.memberID), from: WorkerWorld.group)
    try world.publish(.next("a", 3))
    try secondLoop.settle()
    try firstLoop.settle()

    #expect(try world.effects() == ["a1", "a2", "a3"])
    #expect(first.status().consumer?.assignment?.count == 0 || second.status().consumer?.assignment?.count == 0)
  }
}

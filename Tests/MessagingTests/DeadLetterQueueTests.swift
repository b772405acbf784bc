import GRDB
import MessagingSQLite
import Testing

@testable import Messaging

/// Redrive, discard and the discard of a gap: inside the group that gave up, once in effect.
@Suite("Dead letter queue")
struct DeadLetterQueueTests {
  private let operatorA = Requester(name: "operator-a", reason: "fixed")

  /// `a1` is handled, `a2` a dead letter, `a3` and `a4` are parked behind it.
  private func worldWithADeadLetter() throws -> (WorkerWorld, WorkerWorld.Worker) {
    let world = try WorkerWorld(partitions: 1)
    world.failure.set { event, _ in event.id == "a2" ? DeadLetterError("broken") : nil }
    try world.publish(.next("a", 1), .next("a", 2), .next("a", 3), .next("b", 1), .next("a", 4))
    let worker = world.worker()
    let loop = worker.makeLoop()
    try loop.settle()
    loop.close()
    #expect(try world.effects() == ["a1", "b1"])
    return (world, worker)
  }

  @Test func aRedriveHandlesTheEventAndWhatIsParkedBehindItInOrder() async throws {
    let (world, worker) = try worldWithADeadLetter()
    world.failure.set { _, _ in nil }

    #expect(try await worker.redrive(1, by: operatorA) == .resolved)

    #expect(try world.effects(of: "a") == ["a1", "a2", "a3", "a4"])
    let detail = try #require(try await world.store.inbox.deadLetter(id: 1))
    #expect(detail.entry.status == .resolved && detail.entry.redrives == 0)
    #expect(detail.parkedBehind.isEmpty)
    #expect(detail.audit.map(\.outcome) == [.resolved])
    #expect(detail.audit.map(\.requester) == [operatorA])
    #expect(try world.outcome(of: "a2") == "processed" && world.outcome(of: "a4") == "processed")
    #expect(worker.status().counts.handled == 5)
  }

  @Test func aRedriveAskedForTwiceHasOneEffect() async throws {
    let (world, worker) = try worldWithADeadLetter()
    world.failure.set { _, _ in nil }

    let outcomes = [try await worker.redrive(1, by: operatorA), try await worker.redrive(1, by: operatorA)]

    #expect(outcomes == [.resolved, .alreadyResolved])
    #expect(try world.effects(of: "a") == ["a1", "a2", "a3", "a4"])
    #expect(try await world.store.inbox.deadLetter(id: 1)?.audit.count == 1)
  }

  @Test func aDiscardMovesTheCursorPastTheEventAndItsSuccessorsFollow() async throws {
    let (world, worker) = try worldWithADeadLetter()

    let outcomes = [try await worker.discard(1, by: operatorA), try await worker.discard(1, by: operatorA)]

    #expect(outcomes == [.discarded, .alreadyDiscarded])
    #expect(try world.effects(of: "a") == ["a1", "a3", "a4"])
    #expect(try world.outcome(of: "a2") == "discarded")
    let detail = try #require(try await world.store.inbox.deadLetter(id: 1))
    #expect(detail.entry.status == .discarded && detail.entry.reason == "fixed")
    #expect(detail.audit.map(\.action) == [.discard])
    #expect(try await worker.redrive(1, by: operatorA) == .discarded)
  }

  @Test func aGapIsGivenUpAndWhatWasParkedFollows() async throws {
    let world = try WorkerWorld(partitions: 1)
    try world.publish(.next("a", 1), .next("a", 4), .next("a", 5), .next("a", 7))
    let worker = world.worker()
    try worker.makeLoop().settle()

    #expect(try await worker.discardGap(ofKey: "a", by: operatorA) == .discarded(versions: 2...3))

    #expect(try world.effects() == ["a1", "a4", "a5"])
    #expect(try await worker.discardGap(ofKey: "a", by: operatorA) == .discarded(versions: 6...6))
    #expect(try await worker.discardGap(ofKey: "a", by: operatorA) == nil)
    #expect(try world.effects() == ["a1", "a4", "a5", "a7"])
    #expect(try world.store.count("SELECT COUNT(*) FROM dead_letter_audit WHERE action = 'discard_gap'") == 2)
  }

  @Test func nothingIsDoneForWhatIsNotThere() async throws {
    let world = try WorkerWorld(partitions: 1)
    let worker = world.worker()

    #expect(try await worker.redrive(7, by: operatorA) == nil)
    #expect(try await worker.discard(7, by: operatorA) == nil)
    #expect(try await worker.discardGap(ofKey: "a", by: operatorA) == nil)
    #expect(try world.store.count("SELECT COUNT(*) FROM dead_letter_audit") == 0)
  }

  // MARK: Redrives that fail

  @Test func anUnfixedEventIsADeadLetterAgainWithOneRedriveMore() async throws {
    let (world, worker) = try worldWithADeadLetter()
    world.failure.set { event, _ in event.id == "a2" ? Ordered() : nil }

    // Three attempts, with the policy's pauses.
    #expect(try await worker.redrive(1, by: operatorA) == .failedAgain(redrives: 1, error: "Ordered()"))
    #expect(try await worker.redrive(1, by: operatorA) == .failedAgain(redrives: 2, error: "Ordered()"))

    let detail = try #require(try await world.store.inbox.deadLetter(id: 1))
    #expect(detail.entry.status == .open && detail.entry.redrives == 2 && detail.entry.attempts == 3)
    #expect(detail.audit.map(\.outcome) == [.failedAgain, .failedAgain])
    #expect(detail.audit.map(\.detail) == ["Ordered()", "Ordered()"])
    #expect(detail.parkedBehind.map(\.identity.eventID) == ["a3", "a4"])
    #expect(detail.parkedBehind.map(\.deadLetterID) == [1, 1] && detail.parkedBehindCount == 2)
    #expect(try world.effects(of: "a") == ["a1"])
    // Each of them is told to everybody.
    let published = try await world.store.outbox.entries(ofKey: "a").map(\.eventID)
    #expect(published == ["group-a/a2/0", "group-a/a2/1", "group-a/a2/2"])
    #expect(try world.store.count("SELECT redrives FROM processed_events WHERE event_id = 'a2'") == 2)
  }

  @Test func anEventThatFailsOnceInARedriveIsTriedAgain() async throws {
    let (world, worker) = try worldWithADeadLetter()
    world.failure.set { event, delivery in event.id == "a2" && delivery.attempt < 3 ? Ordered() : nil }

    #expect(try await worker.redrive(1, by: operatorA) == .resolved)

    #expect(try world.effects(of: "a") == ["a1", "a2", "a3", "a4"])
  }

  @Test func aStoreThatIsFullIsNoFailureOfTheRedrive() async throws {
    let (world, worker) = try worldWithADeadLetter()
    world.failure.set { _, _ in StoreUnavailable("full") }

    await #expect(throws: StoreUnavailable("full")) { try await worker.redrive(1, by: operatorA) }

    let detail = try #require(try await world.store.inbox.deadLetter(id: 1))
    #expect(detail.entry.redrives == 0 && detail.audit.isEmpty)
  }

  @Test func anUnreadableRecordIsADeadLetterAgainAtOnce() async throws {
    let world = try WorkerWorld(partitions: 1)
    try world.publish([OutgoingMessage(topic: WorkerWorld.topic, key: nil, value: [1])])
    let worker = world.worker()
    try worker.makeLoop().settle()

    #expect(try await worker.redrive(1, by: operatorA) == .failedAgain(redrives: 1, error: "not three parts"))

    #expect(try await world.store.inbox.deadLetter(id: 1)?.entry.attempts == 1)
    // A null key is one like any other.
    let published = try await world.store.outbox.entries(limit: 9)
    #expect(published.map(\.key) == [nil, nil])
    #expect(try await worker.discard(1, by: operatorA) == .discarded)
  }

  @Test func manyRedrivesAtOnceHaveOneEffect() async throws {
    let (world, worker) = try worldWithADeadLetter()
    world.failure.set { _, _ in nil }
    let other = world.worker()

    let outcomes = try await withThrowingTaskGroup(of: RedriveOutcome?.self) { group in
      for index in 0..<20 {
        let instance = index % 2 == 0 ? worker : other
        group.addTask { [operatorA] in try await instance.redrive(1, by: operatorA) }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }

    #expect(outcomes.count { $0 == .resolved } == 1)
    #expect(outcomes.count { $0 == .alreadyResolved } == 19)
    #expect(try world.effects(of: "a") == ["a1", "a2", "a3", "a4"])
  }

  @Test func redrivesThatFailTogetherCountOnce() throws {
    let (world, worker) = try worldWithADeadLetter()
    world.failure.set { event, _ in event.id == "a2" ? Ordered() : nil }
    let begun = try worker.redriveStep(1, by: operatorA)
    #expect(begun == .again(redrives: 0))

    // Another instance comes to the end first.
    #expect(
      try world.worker().redriveStep(1, attempt: 3, begunAt: 0, by: operatorA)
        == .finished(.failedAgain(redrives: 1, error: "Ordered()")))

    #expect(
      try worker.redriveStep(1, attempt: 2, begunAt: 0, by: operatorA)
        == .finished(.failedAgain(redrives: 1, error: "Ordered()")))
    #expect(try world.store.count("SELECT redrives FROM dead_letters") == 1)
  }

  // MARK: Places

  @Test func aStaleEventIsResolvedWithoutAnEffect() async throws {
    let (world, worker) = try worldWithADeadLetter()
    // A corrected event of the same version came meanwhile.
    try world.publish(TestEvent("corrected", key: "a", version: 2))
    try worker.makeLoop().settle()
    #expect(try world.effects(of: "a") == ["a1", "corrected", "a3", "a4"])

    #expect(try await worker.redrive(1, by: operatorA) == .resolved)

    #expect(try world.effects(of: "a").count == 4)
    #expect(try world.outcome(of: "a2") == "discarded")
  }

  /// A record whose bytes could not be read, and can be now: version 3 of a key at whose version 1 nobody has been.
  private func worldWithALetterAhead() throws -> (
    WorkerWorld, WorkerWorld.Worker, ConsumerWorkerLoop<FlakyInbox, TestEvent>
  ) {
    let world = try WorkerWorld(partitions: 1)
    try world.store.inbox.transact { [inbox = world.store.inbox] transaction in
      var letter = deadLetter("a3", key: "a", version: 3)
      let message = TestEvent.next("a", 3).message()
      letter.record.key = message.key
      letter.record.value = message.value
      let entry = inboxEntry("a3", key: "a", version: 3)
      _ = try inbox.register(entry, outcome: .deadLettered, in: transaction)
      _ = try inbox.keep(letter, in: transaction)
    }
    let worker = world.worker()
    return (world, worker, worker.makeLoop())
  }

  @Test func anEventAheadOfTheCursorIsParkedByItsRedrive() async throws {
    let (world, worker, loop) = try worldWithALetterAhead()

    #expect(try await worker.redrive(1, by: operatorA) == .resolved)

    #expect(try world.effects() == [] && world.outcome(of: "a3") == "parked")
    try world.publish(.next("a", 1), .next("a", 2))
    try loop.settle()
    #expect(try world.effects() == ["a1", "a2", "a3"])
  }

  @Test func anEventThatWasParkedByItsRedriveAndFailsInItsTurnIsOpenAgain() async throws {
    let (world, worker, loop) = try worldWithALetterAhead()
    #expect(try await worker.redrive(1, by: operatorA) == .resolved)
    world.failure.set { event, _ in event.id == "a3" ? DeadLetterError("still") : nil }

    try world.publish(.next("a", 1), .next("a", 2))
    try loop.settle()

    let entry = try #require(try await world.store.inbox.deadLetter(id: 1)?.entry)
    #expect(entry.status == .open && entry.redrives == 1 && entry.error == "still")
    #expect(try world.outcome(of: "a3") == "dead_lettered")
    #expect(try world.deadLetters() == ["a3"])
  }

  @Test func aDiscardNeverJumpsOverAMissingVersion() async throws {
    let (world, worker, loop) = try worldWithALetterAhead()

    #expect(try await worker.discard(1, by: operatorA) == .discarded)
    try world.publish(.next("a", 4), .next("a", 1))
    try loop.settle()
    #expect(try world.effects() == ["a1"])

    try world.publish(.next("a", 2))
    try loop.settle()
    #expect(try world.effects() == ["a1", "a2", "a4"])
    #expect(try world.outcome(of: "a3") == "discarded")
  }

  @Test func whatWasDiscardedStaysSoAfterThePurge() async throws {
    let (world, worker) = try worldWithADeadLetter()
    let (ahead, aheadWorker, aheadLoop) = try worldWithALetterAhead()
    for (world, worker) in [(world, worker), (ahead, aheadWorker)] {
      #expect(try await worker.discard(1, by: operatorA) == .discarded)
      world.advance(.seconds(1_000))
      let cleaner = RetentionCleaner(
        outbox: world.store.outbox, inbox: world.store.inbox, inboxRetention: .seconds(900), logger: quietLogger)
      _ = try await cleaner.clean()
      #expect(try world.store.count("SELECT COUNT(*) FROM dead_letters") == 0)
      #expect(try world.store.count("SELECT COUNT(*) FROM dead_letter_audit") == 0)
      #expect(try world.outcome(of: "a2") == nil && world.outcome(of: "a3") == nil)
    }

    try world.publish(.next("a", 2), .next("a", 5))
    try worker.makeLoop().settle()
    try ahead.publish(.next("a", 3), .next("a", 1), .next("a", 2), .next("a", 4))
    try aheadLoop.settle()

    #expect(try world.effects(of: "a") == ["a1", "a3", "a4", "a5"])
    #expect(try ahead.effects(of: "a").contains("a2") && ahead.effects(of: "a").last == "a4")
  }

  @Test func aGapBehindADeadLetterWaitsForTheDeadLetter() async throws {
    let (world, worker) = try worldWithADeadLetter()
    try world.publish(.next("a", 7), .next("c", 2))
    let loop = worker.makeLoop()
    try loop.settle()

    #expect(try await worker.discardGap(ofKey: "a", by: operatorA) == .deadLetterInTheWay(1))
    // Only `c` waits for a version of which nothing is known.
    #expect(try await world.store.inbox.summary().gaps == 1)
    #expect(try await worker.discard(1, by: operatorA) == .discarded)

    let summary = try await world.store.inbox.summary()
    #expect(summary.gaps == 2 && summary.parkedRecords == 2 && summary.openDeadLetters == 0)
    let waiting = try await world.store.inbox.parked(limit: 9)
    #expect(waiting.map(\.waitingForVersion) == [5, 1] && waiting.map(\.deadLetterID) == [nil, nil])
    #expect(try await worker.discardGap(ofKey: "c", by: operatorA) == .discarded(versions: 1...1))
    #expect(try world.effects(of: "c") == ["c2"])
  }

  @Test func aSuccessorThatFailsAfterARedriveIsSweptByAnyInstance() async throws {
    let (world, worker) = try worldWithADeadLetter()
    world.failure.set { event, _ in event.id == "a3" ? Ordered() : nil }
    #expect(try await worker.redrive(1, by: operatorA) == .resolved)
    #expect(try world.effects(of: "a") == ["a1", "a2"])

    world.failure.set { _, _ in nil }
    let other = world.worker().makeLoop()
    try other.settle()
    world.advance(.seconds(5))
    try other.settle()

    #expect(try world.effects(of: "a") == ["a1", "a2", "a3", "a4"])
  }

  // MARK: Deaths

  @Test func aRedriveThatKillsItsProcessCountsWhenItIsFound() async throws {
    let (world, worker) = try worldWithADeadLetter()
    world.failure.set { event, _ in event.id == "a2" ? StopConsuming("the end") : nil }
    await #expect(throws: StopConsuming("the end")) { try await worker.redrive(1, by: operatorA) }
    world.inbox.dies()

    let next = world.worker()
    try next.makeLoop().settle()

    let detail = try #require(try await world.store.inbox.deadLetter(id: 1))
    #expect(detail.entry.redrives == 1 && detail.entry.status == .open)
    #expect(detail.entry.error == "the process died while handling it")
    #expect(detail.audit.map(\.requester) == [operatorA] && detail.audit.map(\.outcome) == [.failedAgain])
    world.failure.set { _, _ in nil }
    #expect(try await next.redrive(1, by: operatorA) == .resolved)
    #expect(try world.effects(of: "a") == ["a1", "a2", "a3", "a4"])
  }
}

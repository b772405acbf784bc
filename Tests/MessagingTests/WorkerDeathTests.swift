import Foundation
import Testing

@testable import Messaging
@testable import MessagingSQLite

/// A handler, or the reading of a record, that takes its process down with it: an attempt like any other.
@Suite("Consumer worker: deaths", .timeLimit(.minutes(2)))
struct WorkerDeathTests {
  /// Runs a worker until it dies, and lets its group notice.
  private func runToDeath(_ world: WorkerWorld) throws {
    let worker = world.worker()
    let loop = worker.makeLoop()
    #expect(throws: StopConsuming.self) { try loop.settle() }
    world.inbox.dies()
    let member = try #require(worker.status().consumer?.memberID)
    loop.abandon()
    world.broker.expel(member, from: WorkerWorld.group)
  }

  @Test func anEventThatKillsItsProcessIsADeadLetterAfterThreeDeaths() async throws {
    let world = try WorkerWorld(partitions: 1)
    try world.publish(.next("a", 1), .next("a", 2), .next("a", 3), .next("b", 1))
    world.failure.set { event, _ in event.id == "a2" ? StopConsuming("the end") : nil }
    for _ in 1...3 { try runToDeath(world) }
    #expect(try world.effects() == [])

    try world.worker().makeLoop().settle()

    #expect(try world.effects() == ["a1", "b1"])
    let entry = try #require(try await world.store.inbox.deadLetters(limit: 9).first)
    #expect(entry.eventID == "a2" && entry.attempts == 3 && entry.error == "the process died while handling it")
    #expect(try world.outcome(of: "a3") == "parked")
    #expect(try world.store.count("SELECT COUNT(*) FROM crashed_attempts") == 0)
  }

  @Test func aParkedEventThatKillsItsProcessIsADeadLetterToo() throws {
    let world = try WorkerWorld(partitions: 1)
    try world.publish(.next("a", 2), .next("a", 1), .next("b", 1))
    world.failure.set { event, _ in event.id == "a2" ? StopConsuming("the end") : nil }
    for _ in 1...3 { try runToDeath(world) }

    try world.worker().makeLoop().settle()

    #expect(try world.effects() == ["a1", "b1"])
    #expect(try world.deadLetters() == ["a2"])
  }

  @Test func deathsAndFailuresCountTogether() throws {
    let world = try WorkerWorld(partitions: 1)
    try world.publish(.next("a", 1))
    world.failure.set { _, delivery in
      if delivery.attempt < 3 { return StopConsuming("the end") }
      return Ordered()
    }
    for _ in 1...2 { try runToDeath(world) }

    try world.worker().makeLoop().settle()

    #expect(try world.deadLetters() == ["a1"])
  }

  @Test func aRecordThatCannotBeReadAliveIsADeadLetterAndNeverReadAgain() async throws {
    let world = try WorkerWorld(partitions: 1)
    try world.publish(.next("a", 1), .next("deadly", 1), .next("b", 1))
    let place = HandlingSubject.record(
      cluster: "in-memory-1", TopicPartition(WorkerWorld.topic, 0), offset: 1)
    for _ in 1...3 {
      world.inbox.hasAtHand(place)
      world.inbox.dies()
    }

    let loop = world.worker().makeLoop()
    try loop.settle()
    loop.close()

    #expect(try world.effects() == ["a1", "b1"])
    let entry = try #require(try await world.store.inbox.deadLetters(limit: 9).first)
    #expect(entry.eventID.hasPrefix("orders/0/1/") && entry.error == "the process died while reading it")
    #expect(entry.attempts == 3)
    // Also when the store has forgotten how far it was.
    try world.store.database.writeBlocking { try $0.database.execute(sql: "DELETE FROM next_offsets") }
    let again = world.worker()
    try again.makeLoop().settle()
    #expect(again.status().counts.duplicates >= 1)
    #expect(try world.effects() == ["a1", "b1"] && world.deadLetters().count == 1)
  }

  @Test func aDeathAfterTheCommitIsNobodysAttempt() throws {
    let world = try WorkerWorld(partitions: 1)
    try world.publish(.next("a", 1))
    try world.worker().makeLoop().settle()
    // The last that was at hand; its transaction is committed.
    world.inbox.dies()

    #expect(try world.inbox.collectDeaths() == [])
    #expect(try world.store.count("SELECT COUNT(*) FROM crashed_attempts") == 0)
  }

  // MARK: The marks of real processes

  private func open(_ folder: StoreFolder) throws -> StoreUnderTest {
    StoreUnderTest(
      database: try SQLiteDatabase.open(path: folder.store, migrations: MessagingMigrations.all), folder: folder)
  }

  private func marks(_ folder: StoreFolder) -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: folder.store + "-handling")) ?? []
  }

  @Test func onlyWhatWasAtHandWhenAProcessDiedCountsAndOnlyOnce() throws {
    let folder = try StoreFolder()
    let (dying, living) = (try open(folder), try open(folder))
    let other = try open(folder)
    _ = try dying.inbox.collectDeaths()
    _ = try living.inbox.collectDeaths()
    dying.inbox.hasAtHand(.event(id: "innocent"))
    dying.inbox.hasAtHand(nil)
    dying.inbox.hasAtHand(.event(id: "deadly"))
    // It may be stopped, and go on.
    #expect(try living.inbox.collectDeaths() == [])
    #expect(marks(folder).count == 2)

    dying.database.handling?.abandon()
    let found = try living.inbox.collectDeaths()

    #expect(found.map(\.subject) == [.event(id: "deadly")])
    #expect(try living.inbox.collectDeaths() == [] && other.inbox.collectDeaths() == [])
    let attempts = try living.inbox.transact { [inbox = living.inbox] in try inbox.crashedAttempts(in: $0) }
    #expect(attempts.number(of: .event(id: "deadly")) == 1 && attempts.number(of: .event(id: "innocent")) == 0)
    try living.database.close()
    try other.database.close()
    #expect(marks(folder) == [])
  }

  @Test func everyKindOfMarkIsReadAsItWasWritten() throws {
    let folder = try StoreFolder()
    let living = try open(folder)
    let subjects: [HandlingSubject] = [
      .event(id: "e"), .record(cluster: "c", TopicPartition("orders", 7), offset: .max),
      .record(cluster: "", TopicPartition("", 0), offset: 0),
    ]
    for subject in subjects {
      let dying = try open(folder)
      _ = try dying.inbox(of: "group-b").collectDeaths()
      dying.inbox(of: "group-b").hasAtHand(subject)
      dying.database.handling?.abandon()

      // Counted for the group that had it, whoever finds it.
      #expect(try living.inbox.collectDeaths().map(\.subject) == [subject])
    }
    let counted = try living.inbox.transact { [inbox = living.inbox(of: "group-b")] in
      try inbox.crashedAttempts(in: $0)
    }
    #expect(subjects.allSatisfy { counted.number(of: $0) == 1 })
    let others = try living.inbox.transact { [inbox = living.inbox] in try inbox.crashedAttempts(in: $0) }
    #expect(others.isEmpty)
  }

  @Test func aMarkThatDoesNotFitIsNone() throws {
    let folder = try StoreFolder()
    let (dying, living) = (try open(folder), try open(folder))
    _ = try dying.inbox.collectDeaths()
    dying.inbox.hasAtHand(.event(id: String(repeating: "x", count: 10_000)))
    dying.database.handling?.abandon()

    #expect(try living.inbox.collectDeaths() == [])
    #expect(marks(folder).count == 1)
  }

  @Test func aStoreInMemoryHasNoMarks() throws {
    let store = try StoreKind.memory.open()
    store.inbox.hasAtHand(.event(id: "e"))
    #expect(store.database.handling == nil)
    #expect(try store.inbox.collectDeaths() == [])
  }

  @Test func aMarkCostsNextToNothing() throws {
    let folder = try StoreFolder()
    let store = try open(folder)
    _ = try store.inbox.collectDeaths()
    let subject = HandlingSubject.event(id: "0198c0de-0000-7000-8000-000000000000")
    let start = cpuTimeOfThisThread()
    for _ in 0..<100_000 {
      store.inbox.hasAtHand(subject)
      store.inbox.hasAtHand(nil)
    }
    let cost = (cpuTimeOfThisThread() - start) / 100_000
    // In this debug build; a commit costs a hundred times as much, a system call for each mark would show here.
    #expect(cost < .microseconds(20), "\(cost)")
    print("a mark and its end: \(cost)")
  }
}

private func cpuTimeOfThisThread() -> Duration {
  var time = timespec()
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
  return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
}

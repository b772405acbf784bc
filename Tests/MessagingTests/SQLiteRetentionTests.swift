import GRDB
import Logging
import Messaging
import MessagingSQLite
import Testing
import WireFormat

@Suite("SQLite retention", .timeLimit(.minutes(2)))
struct SQLiteRetentionTests {
  static let retention = Duration.seconds(7200)

  @Test(arguments: StoreKind.allCases)
  func theOutboxKeepsWhatWaitsAndWhatIsWithinRetention(_ kind: StoreKind) async throws {
    let store = try kind.open()
    let lease = try store.lease()
    for index in 1...30 { try store.append(outboxMessage("\(index)")) }
    try store.inbox.transact { [inbox = store.inbox] in _ = try inbox.keep(deadLetter("open"), in: $0) }
    let waiting: Set<Int64> = [3, 17]
    try store.outbox.markPublished(
      (1...31).filter { !waiting.contains($0) }.map { receipt($0, offset: $0) }, lease: lease)
    store.clock.advance(by: .seconds(3601))
    for index in 32...40 { try store.append(outboxMessage("\(index)")) }
    try store.outbox.markPublished((32...40).map { receipt($0, offset: $0) }, lease: lease)

    let deleted = try await cleaner(of: store).clean()

    #expect(deleted == 28)
    let left = try await store.outbox.entries(limit: 100).map(\.sequence)
    #expect(left == Array((32...40).reversed()) + [31, 17, 3])
  }

  @Test(arguments: StoreKind.allCases)
  func aMarkThatComesAfterThePurgeLeavesNothing(_ kind: StoreKind) async throws {
    let store = try kind.open()
    let lease = try store.lease(duration: .seconds(10_000))
    try store.append(outboxMessage("1"))
    try store.outbox.markPublished([receipt(1, offset: 1)], lease: lease)
    store.clock.advance(by: .seconds(3601))
    #expect(try await store.outbox.purge().deleted == 1)

    try store.outbox.markPublished([receipt(1, offset: 2)], lease: lease)

    for table in ["outbox_messages", "outbox_pending", "outbox_publications"] {
      #expect(try store.count("SELECT COUNT(*) FROM \(table)") == 0)
    }
  }

  @Test(arguments: StoreKind.allCases)
  func ofAMarkedRunEachRowGetsItsOwnWhateverItsNeighboursAre(_ kind: StoreKind) async throws {
    let store = try kind.open()
    let lease = try store.lease(duration: .seconds(10_000))
    for index in 1...4 { try store.append(outboxMessage("\(index)")) }
    try store.outbox.markPublished([receipt(2, offset: 2)], lease: lease)
    store.clock.advance(by: .seconds(3601))
    #expect(try await store.outbox.purge().deleted == 1)
    try store.outbox.markPublished([receipt(3, offset: 3)], lease: lease)

    try store.outbox.markPublished((1...4).map { receipt($0, offset: 10 + $0) }, lease: lease)

    let publications = try await store.outbox.entries(limit: 10).map { ($0.sequence, $0.publication?.offset) }
    #expect(publications.map(\.0).sorted() == [1, 3, 4])
    #expect(publications.allSatisfy { $0.1 == 10 + $0.0 })
    #expect(try store.outbox.unpublishedCount() == 0)
    #expect(try store.count("SELECT COUNT(*) FROM outbox_publications") == 3)
  }

  @Test(arguments: StoreKind.allCases)
  func aPurgeIsDoneInBoundedSteps(_ kind: StoreKind) async throws {
    let store = try kind.open()
    let lease = try store.lease()
    for index in 1...10 { try store.append(outboxMessage("\(index)")) }
    try store.outbox.markPublished((1...10).filter { $0 != 2 }.map { receipt($0, offset: $0) }, lease: lease)
    store.clock.advance(by: .seconds(3601))

    let first = try await store.outbox.purge(after: 0, limit: 4)
    let second = try await store.outbox.purge(after: first.next ?? -1, limit: 4)
    let third = try await store.outbox.purge(after: second.next ?? -1, limit: 4)

    #expect([first.deleted, second.deleted, third.deleted] == [3, 4, 2])
    #expect([first.next, second.next, third.next] == [4, 8, nil])
    #expect(try store.unpublished() == [2])
  }

  @Test(arguments: StoreKind.allCases)
  func theInboxForgetsOnlyWhatIsOldAndDealtWith(_ kind: StoreKind) async throws {
    let store = try kind.open()
    try store.inbox.transact { [inbox = store.inbox] transaction in
      for outcome in InboxOutcome.allCases {
        for index in 0..<3 {
          _ = try inbox.register(inboxEntry("old-\(outcome.rawValue)-\(index)"), outcome: outcome, in: transaction)
        }
      }
    }
    store.clock.advance(by: Self.retention + .milliseconds(1))
    try store.inbox.transact { [inbox = store.inbox] transaction in
      for id in ["old-discarded-among-them-young", "young"] {
        _ = try inbox.register(inboxEntry(id), outcome: .processed, in: transaction)
      }
    }

    let deleted = try await cleaner(of: store).clean()

    #expect(deleted == 6)
    let left = try await store.inbox.entries(ofKey: "order-1").map(\.identity.eventID).sorted()
    let open = ["old-dead_lettered-", "old-parked-"].map { name in [0, 1, 2].map { "\(name)\($0)" } }
    #expect(left == open[0] + ["old-discarded-among-them-young"] + open[1] + ["young"])
  }

  @Test(arguments: StoreKind.allCases)
  func idsThatTellThatTheyAreYoungAreNotLookedAt(_ kind: StoreKind) async throws {
    let store = try kind.open()
    let generator = UUIDv7Generator()
    let wall = store.clock.clocks.wall
    func register(_ ids: [String]) throws {
      try store.inbox.transact { [inbox = store.inbox] transaction in
        for id in ids { _ = try inbox.register(inboxEntry(id), outcome: .processed, in: transaction) }
      }
    }
    // Sorts among the young ones for as long as the retention.
    let misleading = UUIDv7Generator().next(at: wall() + Self.retention / 2)
    func ids() async throws -> [String] {
      try await store.inbox.entries(ofKey: "order-1").map(\.identity.eventID).sorted()
    }
    try register((1...5).map { _ in generator.next(at: wall()) } + ["0-foreign", "z-foreign", misleading])
    store.clock.advance(by: Self.retention + .milliseconds(1))
    let young = (1...5).map { _ in generator.next(at: wall()) }
    // An id of a clock that runs ahead is looked at.
    let early = generator.next(at: wall() + .seconds(60))
    try register(young + [early])
    store.clock.advance(by: .seconds(1))

    var deleted: [Int] = []
    var positions: [String] = []
    var position: String? = ""
    while let after = position {
      let step = try await store.inbox.purgeProcessed(olderThan: Self.retention, after: after, limit: 3)
      deleted.append(step.deleted)
      position = step.next
      if let next = step.next { positions.append(next) }
    }

    #expect(deleted == [3, 3, 0, 1])
    #expect(positions.allSatisfy { $0 < young[0] || $0 > young[4] })
    #expect(try await ids() == [misleading] + young + [early])

    store.clock.advance(by: Self.retention)
    _ = try await cleaner(of: store).clean()

    #expect(try await ids() == [early])
  }

  @Test func aRetentionBelowZeroForgetsWhatIsDealtWithAndEnds() async throws {
    let store = try StoreKind.memory.open()
    try store.inbox.transact { [inbox = store.inbox, now = store.clock.clocks.wall()] transaction in
      let id = UUIDv7Generator().next(at: now)
      for (id, outcome) in [(id, InboxOutcome.processed), ("foreign", .parked)] {
        _ = try inbox.register(inboxEntry(id), outcome: outcome, in: transaction)
      }
    }

    let first = try await store.inbox.purgeProcessed(olderThan: .seconds(-60))
    let last = try await store.inbox.purgeProcessed(olderThan: .seconds(-60), after: first.next ?? "")

    #expect(first.deleted + last.deleted == 1)
    #expect(last.next == nil)
    #expect(try await store.inbox.entries(ofKey: "order-1").map(\.identity.eventID) == ["foreign"])
  }

  @Test(arguments: StoreKind.allCases)
  func deadLettersStayWhileTheyAreOpen(_ kind: StoreKind) async throws {
    let store = try kind.open()
    let now = store.clock.clocks.wall().millisecondsSinceEpoch
    try store.inbox.transact { [inbox = store.inbox] transaction in
      for id in ["open", "resolved", "discarded"] { _ = try inbox.keep(deadLetter(id), in: transaction) }
      try transaction.database.execute(
        sql: "UPDATE dead_letters SET status = event_id, resolved_at = ? WHERE event_id <> 'open'", arguments: [now])
    }
    store.clock.advance(by: Self.retention + .milliseconds(1))

    _ = try await cleaner(of: store).clean()

    #expect(try await store.inbox.deadLetters(limit: 9).map(\.eventID) == ["open"])
  }

  private func cleaner(of store: StoreUnderTest) -> RetentionCleaner {
    RetentionCleaner(
      outbox: store.outbox, inbox: store.inbox, inboxRetention: Self.retention, logger: Logger(label: "test"))
  }
}

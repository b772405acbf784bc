import GRDB
import Messaging
import MessagingSQLite
import Testing
import WireFormat

/// What the consumer worker relies on, over every store.
@Suite("The store's contract: inbox", .timeLimit(.minutes(2)))
struct StoreContractInboxTests {
  @Test(arguments: StoreKind.allCases)
  func anEventIsNewToAGroupOnce(_ kind: StoreKind) throws {
    let store = try kind.open()
    let other = store.inbox(of: "group-b")

    for outcome in InboxOutcome.allCases {
      let entry = inboxEntry("event-\(outcome)")
      #expect(try register(entry, outcome, at: store.inbox))
      for again in InboxOutcome.allCases { #expect(try !register(entry, again, at: store.inbox)) }
      #expect(try register(entry, outcome, at: other))
    }
  }

  @Test(arguments: StoreKind.allCases)
  func anEventWhoseHandlingIsUndoneIsNewAgain(_ kind: StoreKind) throws {
    let store = try kind.open()

    try store.inbox.transact { [inbox = store.inbox, outbox = store.outbox] transaction in
      let undone = error(of: {
        try inbox.savepoint(in: transaction) {
          #expect(try inbox.register(inboxEntry("e1"), outcome: .processed, in: transaction))
          try inbox.moveCursor(of: "order-1", to: 1, in: transaction)
          try outbox.append(outboxMessage("out of e1"), in: transaction)
          throw Refused()
        }
      })
      #expect(undone is Refused)
      try inbox.savepoint(in: transaction) {
        #expect(try inbox.register(inboxEntry("e2"), outcome: .processed, in: transaction))
        try outbox.append(outboxMessage("out of e2"), in: transaction)
      }
      #expect(try inbox.cursor(of: "order-1", in: transaction) == 0)
    }

    #expect(try register(inboxEntry("e1"), .processed, at: store.inbox))
    #expect(try !register(inboxEntry("e2"), .processed, at: store.inbox))
    #expect(try store.outbox.unpublished(after: 0, limit: 10).map(\.message) == [outboxMessage("out of e2").message])
  }

  @Test(arguments: StoreKind.allCases)
  func anOutcomeIsReplacedWhenTheEventIsSettled(_ kind: StoreKind) async throws {
    let store = try kind.open()
    #expect(try register(inboxEntry("e1"), .parked, at: store.inbox))
    var settled = inboxEntry("e1")
    settled.attempts = 3

    try store.inbox.transact { [inbox = store.inbox, settled] in
      try inbox.settle(settled, outcome: .processed, in: $0)
    }

    let events = try await store.inbox.entries(ofKey: "order-1")
    #expect(events.map(\.outcome) == [.processed])
    #expect(events.map(\.attempts) == [3])
    #expect(try !register(inboxEntry("e1"), .processed, at: store.inbox))
  }

  @Test(arguments: StoreKind.allCases)
  func aCursorStartsAtNothingAndNeverGoesBack(_ kind: StoreKind) throws {
    let store = try kind.open()
    let other = store.inbox(of: "group-b")

    let seen = try store.inbox.transact { [inbox = store.inbox] transaction in
      let start = try inbox.cursor(of: "order-1", in: transaction)
      try inbox.moveCursor(of: "order-1", to: 1, in: transaction)
      try inbox.moveCursor(of: "order-1", to: 5, in: transaction)
      try inbox.moveCursor(of: "order-1", to: 4, in: transaction)
      return [
        start, try inbox.cursor(of: "order-1", in: transaction), try inbox.cursor(of: "order-2", in: transaction),
        try other.cursor(of: "order-1", in: transaction),
      ]
    }

    #expect(seen == [0, 5, 0, 0])
  }

  @Test(arguments: StoreKind.allCases)
  func aCursorAdvancesByOneStepOnly(_ kind: StoreKind) throws {
    let store = try kind.open()
    let other = store.inbox(of: "group-b")
    let steps: [Int64] = [.min, 0, 2, 1, 1, 3, 2, 2, .max, 3]

    let (advanced, cursors) = try store.inbox.transact { [inbox = store.inbox] transaction in
      let advanced = try steps.filter { try inbox.advanceCursor(of: "order-1", to: $0, in: transaction) }
      return (
        advanced,
        [
          try inbox.cursor(of: "order-1", in: transaction), try inbox.cursor(of: "order-2", in: transaction),
          try other.cursor(of: "order-1", in: transaction),
        ]
      )
    }

    #expect(advanced == [1, 2, 3])
    #expect(cursors == [3, 0, 0])
  }

  @Test(arguments: StoreKind.allCases)
  func whatIsUnregisteredIsNewAgain(_ kind: StoreKind) throws {
    let store = try kind.open()
    for id in ["e1", "e2"] { #expect(try register(inboxEntry(id), .processed, at: store.inbox)) }

    try store.inbox.transact { [inbox = store.inbox] in try inbox.unregister("e1", in: $0) }

    #expect(try register(inboxEntry("e1"), .processed, at: store.inbox))
    #expect(try !register(inboxEntry("e2"), .processed, at: store.inbox))
  }

  @Test(arguments: StoreKind.allCases)
  func aParkedRecordComesBackExactlyOnceAndOnlyForItsVersion(_ kind: StoreKind) throws {
    let store = try kind.open()
    let record = consumedRecord(
      key: [], value: nil, headers: [Header(name: "null", value: nil), Header(name: "empty", value: [])])
    let parked = ParkedRecord(
      identity: EventIdentity(eventID: "e3", eventType: "T", key: "order-1", version: 3), record: record)
    let other = store.inbox(of: "group-b")

    try store.inbox.transact { [inbox = store.inbox] transaction in
      try inbox.park(parked, in: transaction)
      try inbox.park(parked, in: transaction)
    }

    try store.inbox.transact { [inbox = store.inbox] transaction throws in
      #expect(try inbox.takeParked(key: "order-1", version: 2, in: transaction) == nil)
      #expect(try inbox.takeParked(key: "order-2", version: 3, in: transaction) == nil)
      #expect(try other.takeParked(key: "order-1", version: 3, in: transaction) == nil)
      #expect(try inbox.takeParked(key: "order-1", version: 3, in: transaction) == parked)
      #expect(try inbox.takeParked(key: "order-1", version: 3, in: transaction) == nil)
    }
  }

  @Test(arguments: StoreKind.allCases)
  func ofTwoParkedRecordsWithOneVersionTheSecondIsDiscarded(_ kind: StoreKind) async throws {
    let store = try kind.open()
    let (first, second) = (parkedRecord("b", version: 2, offset: 1), parkedRecord("a", version: 2, offset: 2))

    try store.inbox.transact { [inbox = store.inbox] transaction in
      for parked in [first, second] {
        let entry = InboxEntry(
          identity: parked.identity, topicPartition: parked.record.topicPartition, offset: parked.record.offset,
          attempts: 0)
        #expect(try inbox.register(entry, outcome: .parked, in: transaction))
        try inbox.park(parked, in: transaction)
      }
      #expect(try inbox.takeParked(key: "order-1", version: 2, in: transaction) == first)
    }

    #expect(try await store.inbox.parked(limit: 10).isEmpty)
    let outcomes = try await store.inbox.entries(ofKey: "order-1").map { [$0.identity.eventID, $0.outcome.rawValue] }
    #expect(outcomes == [["b", "parked"], ["a", "discarded"]])
  }

  @Test(arguments: StoreKind.allCases)
  func anEventHasOneDeadLetterWhichIsPublishedOncePerNumberOfRedrives(_ kind: StoreKind) async throws {
    let store = try kind.open()
    let record = consumedRecord(key: [], value: nil, headers: [Header(name: "null", value: nil)])
    let first = deadLetter("e1", record: record)
    var again = deadLetter("e1", redrives: 1, record: record)
    again.error = "still"

    let kept = try [first, first, again].map { letter in
      try store.inbox.transact { [inbox = store.inbox] in try inbox.keep(letter, in: $0) }
    }
    try store.inbox.transact { [inbox = store.inbox, again] in try inbox.renew(1, as: again, in: $0) }

    #expect(kept == [true, false, false])
    let letters = try await store.inbox.deadLetters(limit: 10)
    #expect(letters.map(\.redrives) == [1])
    #expect(letters.map(\.status) == [.open])
    #expect(letters.map(\.error) == ["still"])
    #expect(try await store.inbox.deadLetter(id: letters[0].id)?.record == record)
    let published = try await store.outbox.entries(limit: 10).map(\.eventID)
    #expect(published == ["group-a/e1/1", "group-a/e1/0"])
  }

  @Test(arguments: StoreKind.allCases)
  func aDeadLetterIsClosedReopenedAndFound(_ kind: StoreKind) async throws {
    let store = try kind.open()
    try store.inbox.transact { [inbox = store.inbox] transaction throws in
      for version in 2...4 as ClosedRange<Int64> {
        #expect(try inbox.keep(deadLetter("e\(version)", version: version), in: transaction))
      }
      try inbox.close(2, as: .discarded, reason: "obsolete", in: transaction)

      #expect(try inbox.deadLetter(2, in: transaction)?.status == .discarded)
      #expect(try inbox.deadLetter(ofEvent: "e3", in: transaction)?.letter == deadLetter("e3", version: 3))
      #expect(try inbox.deadLetter(ofEvent: "e9", in: transaction) == nil)
      #expect(try inbox.deadLetter(9, in: transaction) == nil)
      #expect(try inbox.openDeadLetter(ofKey: "order-1", versions: 3...9, in: transaction)?.id == 3)
      #expect(try inbox.openDeadLetter(ofKey: "order-1", versions: 5...9, in: transaction) == nil)
      #expect(try inbox.openDeadLetter(ofKey: "order-2", versions: 1...9, in: transaction) == nil)
    }
    let other = store.inbox(of: "group-b")
    #expect(try store.inbox.transact { try other.deadLetter(1, in: $0) } == nil)
    let entry = try #require(try await store.inbox.deadLetter(id: 2)?.entry)
    #expect(entry.status == .discarded && entry.reason == "obsolete" && entry.resolvedAt != nil)
  }

  @Test(arguments: StoreKind.allCases)
  func aParkedRecordIsReadyWhenItIsTheNextAndDoesNotRest(_ kind: StoreKind) throws {
    let store = try kind.open()
    let (next, behind) = (parkedRecord("a1", key: "a", version: 1), parkedRecord("a2", key: "a", version: 2))
    let resting = parkedRecord("c5", key: "c", version: 5)
    try store.inbox.transact { [inbox = store.inbox, now = store.clock.clocks.wall()] transaction in
      for parked in [next, behind, parkedRecord("b2", key: "b", version: 2), resting] {
        try inbox.park(parked, in: transaction)
      }
      try inbox.moveCursor(of: "c", to: 4, in: transaction)
      try inbox.postpone(
        inboxEntry("c5", key: "c", version: 5), until: now + .seconds(10), error: "no", in: transaction)
    }

    #expect(try store.inbox.readyParked(limit: 10) == ReadyParked(keys: ["a"], nextIn: .seconds(10)))
    #expect(try store.inbox(of: "group-b").readyParked(limit: 10) == ReadyParked(keys: [], nextIn: nil))
    store.clock.advance(by: .seconds(10))
    #expect(try store.inbox.readyParked(limit: 10) == ReadyParked(keys: ["a", "c"], nextIn: nil))
    #expect(try store.inbox.readyParked(limit: 1).keys == ["a"])
    // The clock was put back: nothing rests for days.
    store.clock.advance(by: .seconds(-100_000))
    #expect(try store.inbox.readyParked(limit: 10).keys == ["a", "c"])
    let taken = try store.inbox.transact { [inbox = store.inbox] in
      try inbox.takeParked(key: "c", version: 5, in: $0)
    }
    #expect(taken?.attempts == 1)
  }

  @Test(arguments: StoreKind.allCases)
  func aCorrectedEventIsTakenBeforeTheDiscardedOneOfItsVersion(_ kind: StoreKind) throws {
    let store = try kind.open()
    var broken = parkedRecord("broken", version: 2)
    broken.isDiscarded = true
    let corrected = parkedRecord("corrected", version: 2, offset: 9)

    let taken = try store.inbox.transact { [inbox = store.inbox, broken] transaction in
      try inbox.park(broken, in: transaction)
      try inbox.park(corrected, in: transaction)
      return try inbox.takeParked(key: "order-1", version: 2, in: transaction)
    }

    #expect(taken == corrected)
  }

  @Test(arguments: StoreKind.allCases)
  func aDeadLetterOfARolledBackTransactionIsNeitherKeptNorPublished(_ kind: StoreKind) async throws {
    let store = try kind.open()

    #expect(throws: Refused.self) {
      try store.inbox.transact { [inbox = store.inbox] transaction throws in
        #expect(try inbox.keep(deadLetter("e1"), in: transaction))
        throw Refused()
      }
    }

    #expect(try await store.inbox.deadLetters(limit: 10).isEmpty)
    #expect(try store.unpublished() == [])
  }

  @Test(arguments: StoreKind.allCases)
  func aDeadLetterAndItsPublicationAreBothThereOrNeither(_ kind: StoreKind) throws {
    let store = try kind.open()
    try store.database.writeBlocking {
      try $0.database.execute(
        sql:
          "CREATE TRIGGER refuse BEFORE INSERT ON outbox_messages BEGIN SELECT RAISE(ABORT, 'no room for messages'); END"
      )
    }

    let refused = error(of: {
      try store.inbox.transact { [inbox = store.inbox] in try inbox.keep(deadLetter("e1"), in: $0) }
    })

    #expect(refused != nil)
    #expect(try store.count("SELECT COUNT(*) FROM dead_letters") == 0)
    #expect(try store.count("SELECT COUNT(*) FROM outbox") == 0)
  }

  @Test(arguments: StoreKind.allCases)
  func nextOffsetsBelongToAGroupAndACluster(_ kind: StoreKind) throws {
    let store = try kind.open()
    let (zero, one) = (TopicPartition("orders", 0), TopicPartition("orders", 1))

    try store.inbox.transact { [inbox = store.inbox] transaction in
      try inbox.storeNextOffsets([zero: 10, one: 20], cluster: "a", in: transaction)
      try inbox.storeNextOffsets([zero: 12], cluster: "a", in: transaction)
      try inbox.storeNextOffsets([zero: 3], cluster: "b", in: transaction)
    }

    #expect(try store.inbox.nextOffsets(cluster: "a") == [zero: 12, one: 20])
    #expect(try store.inbox.nextOffsets(cluster: "b") == [zero: 3])
    #expect(try store.inbox.nextOffsets(cluster: "c") == [:])
    #expect(try store.inbox(of: "group-b").nextOffsets(cluster: "a") == [:])
  }

  @Test func twoWorkersWithOneEventHandleItOnce() async throws {
    let folder = try StoreFolder()
    let stores = try (0..<2).map { _ in
      StoreUnderTest(
        database: try SQLiteDatabase.open(path: folder.store, migrations: MessagingMigrations.all), folder: folder)
    }

    let handled = try await withThrowingTaskGroup(of: Int.self) { group in
      for store in stores {
        group.addTask {
          try await DedicatedThread.run(named: "worker") {
            try (0..<200).reduce(0) { handled, index in
              handled + (try register(inboxEntry("e\(index)"), .processed, at: store.inbox) ? 1 : 0)
            }
          }
        }
      }
      return try await group.reduce(0, +)
    }

    #expect(handled == 200)
  }
}

private func register(_ entry: InboxEntry, _ outcome: InboxOutcome, at inbox: SQLiteInbox) throws -> Bool {
  try inbox.transact { try inbox.register(entry, outcome: outcome, in: $0) }
}

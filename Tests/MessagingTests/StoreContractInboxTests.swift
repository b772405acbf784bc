import GRDB
import Messaging
import MessagingSQLite
import Testing

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
  func aDeadLetterIsKeptAndPublishedOncePerNumberOfRedrives(_ kind: StoreKind) async throws {
    let store = try kind.open()
    let record = consumedRecord(key: [], value: nil, headers: [Header(name: "null", value: nil)])

    let kept = try [0, 0, 1, 1].map { redrives in
      try store.inbox.transact { [inbox = store.inbox] transaction in
        try inbox.keep(deadLetter("e1", redrives: redrives, record: record), in: transaction)
      }
    }

    #expect(kept == [true, false, true, false])
    let letters = try await store.inbox.deadLetters(limit: 10)
    #expect(letters.map(\.redrives) == [1, 0])
    #expect(letters.map(\.status) == [.open, .open])
    #expect(try await store.inbox.deadLetter(id: letters[0].id)?.record == record)
    #expect(try store.outbox.unpublished(after: 0, limit: 10).map(\.message.topic) == ["orders-dlq", "orders-dlq"])
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
        sql: "CREATE TRIGGER refuse BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'no room for messages'); END")
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

import GRDB
import Messaging
import MessagingSQLite
import Testing
import WireFormat

/// What the services' routes show of outbox and inbox.
@Suite("SQLite queries", .timeLimit(.minutes(2)))
struct SQLiteQueriesTests {
  @Test(arguments: StoreKind.allCases)
  func theOutboxSummaryCountsWhatWaits(_ kind: StoreKind) async throws {
    let store = try kind.open()
    #expect(try await store.outbox.summary().unpublished == 0)
    #expect(try await store.outbox.summary().lastSequence == 0)
    let start = store.clock.clocks.wall()
    for id in ["1", "2", "3"] {
      try store.append(outboxMessage(id))
      store.clock.advance(by: .seconds(10))
    }
    let lease = try store.lease("relay-a")
    try store.outbox.bind(toCluster: "cluster-a", lease: lease)
    try store.outbox.markPublished([receipt(1, offset: 5)], lease: lease)

    let summary = try await store.outbox.summary()

    #expect(summary.unpublished == 2)
    #expect(summary.oldestUnpublished == start + .seconds(10))
    #expect(summary.lastSequence == 3)
    #expect(summary.publishEpoch == lease.publishEpoch)
    #expect(summary.clusterID == "cluster-a")
    #expect(summary.leaseHolder == "relay-a")
    #expect(summary.leaseExpiresAt == start + .seconds(33))
  }

  @Test(arguments: StoreKind.allCases)
  func outboxPagesNeitherRepeatNorSkip(_ kind: StoreKind) async throws {
    let store = try kind.open()
    for index in 1...20 { try store.append(outboxMessage("\(index)", key: "order-\(index % 2)")) }
    let lease = try store.lease()
    try store.outbox.markPublished((1...15).map { receipt($0, partition: 3, offset: 100 + $0) }, lease: lease)

    #expect(try await pages(of: store.outbox, OutboxFilter()) == Array((1...20).reversed()))
    #expect(try await pages(of: store.outbox, OutboxFilter(isPublished: false)) == [20, 19, 18, 17, 16])
    #expect(try await pages(of: store.outbox, OutboxFilter(isPublished: true)) == Array((1...15).reversed()))
    #expect(
      try await pages(of: store.outbox, OutboxFilter(key: "order-1")) == [19, 17, 15, 13, 11, 9, 7, 5, 3, 1])
    #expect(try await pages(of: store.outbox, OutboxFilter(key: "order-0", isPublished: false)) == [20, 18, 16])
    #expect(try await pages(of: store.outbox, OutboxFilter(key: "order-9")) == [])
  }

  @Test(arguments: StoreKind.allCases)
  func anOutboxEntryTellsWhereItWasPublished(_ kind: StoreKind) async throws {
    let store = try kind.open()
    try store.append(outboxMessage("1"), outboxMessage("2"))
    let lease = try store.lease()
    try store.outbox.markPublished([receipt(1, partition: 3, offset: 42)], lease: lease)

    let entries = try await store.outbox.entries(ofKey: "order-1")

    #expect(entries.map(\.eventID) == ["1", "2"])
    #expect(entries[0].publication?.topicPartition == TopicPartition("orders", 3))
    #expect(entries[0].publication?.offset == 42)
    #expect(entries[0].publication?.at == store.clock.clocks.wall())
    #expect(entries[0].publication?.epoch == lease.publishEpoch)
    #expect(entries[0].valueSize == outboxMessage("1").message.value?.count)
    #expect(entries[1].publication == nil)
  }

  @Test(arguments: StoreKind.allCases)
  func deadLettersAreListedByStatusNewestFirst(_ kind: StoreKind) async throws {
    let store = try kind.open()
    try store.inbox.transact { [inbox = store.inbox] transaction in
      for index in 1...7 { _ = try inbox.keep(deadLetter("e\(index)"), in: transaction) }
      try transaction.database.execute(
        sql: "UPDATE dead_letters SET status = 'discarded', resolved_at = 5, reason = 'obsolete' WHERE id IN (2, 4)")
    }
    let other = store.inbox(of: "group-b")

    let first = try await store.inbox.deadLetters(matching: DeadLetterFilter(status: .open), limit: 3)
    let second = try await store.inbox.deadLetters(
      matching: DeadLetterFilter(status: .open), before: first.last?.id, limit: 3)

    #expect(first.map(\.eventID) == ["e7", "e6", "e5"])
    #expect(second.map(\.eventID) == ["e3", "e1"])
    let discarded = try await store.inbox.deadLetters(matching: DeadLetterFilter(status: .discarded), limit: 9)
    #expect(discarded.map(\.reason) == ["obsolete", "obsolete"])
    #expect(try await store.inbox.deadLetters(limit: 9).count == 7)
    #expect(try await store.inbox.summary().openDeadLetters == 5)
    #expect(try await other.deadLetters(limit: 9).isEmpty)
    #expect(try await other.deadLetter(id: 1) == nil)
  }

  @Test(arguments: StoreKind.allCases)
  func deadLettersAreFoundByKeyAndByAPartOfTheirError(_ kind: StoreKind) async throws {
    let store = try kind.open()
    try store.inbox.transact { [inbox = store.inbox] transaction in
      var unreadable = deadLetter("e1", key: nil, version: nil)
      unreadable.record = consumedRecord(key: Array("order-2".utf8))
      unreadable.error = "total is 100% no number"
      _ = try inbox.keep(unreadable, in: transaction)
      _ = try inbox.keep(deadLetter("e2"), in: transaction)
      _ = try inbox.keep(deadLetter("e3", key: "order-2"), in: transaction)
    }
    func found(_ filter: DeadLetterFilter) async throws -> [String] {
      try await store.inbox.deadLetters(matching: filter, limit: 9).map(\.eventID)
    }

    #expect(try await found(DeadLetterFilter(key: "order-2")) == ["e3", "e1"])
    #expect(try await found(DeadLetterFilter(error: "100% no")) == ["e1"])
    #expect(try await found(DeadLetterFilter(error: "handler")) == ["e3", "e2"])
    #expect(try await found(DeadLetterFilter(status: .open, key: "order-2", error: "handler")) == ["e3"])
    #expect(try await found(DeadLetterFilter(status: .resolved, key: "order-2")).isEmpty)
  }

  @Test(arguments: StoreKind.allCases)
  func aParkedRecordTellsWhatItWaitsFor(_ kind: StoreKind) async throws {
    let store = try kind.open()
    let start = store.clock.clocks.wall()
    try store.inbox.transact { [inbox = store.inbox] transaction in
      // Version 1 was handled, 2 is a dead letter, 3 and 4 wait behind it.
      try inbox.moveCursor(of: "order-1", to: 1, in: transaction)
      _ = try inbox.keep(deadLetter("e2", version: 2), in: transaction)
      try inbox.park(parkedRecord("e3", version: 3), in: transaction)
      try inbox.park(parkedRecord("e4", version: 4), in: transaction)
    }
    store.clock.advance(by: .seconds(5))
    try store.inbox.transact { [inbox = store.inbox] transaction in
      // Of this order, version 1 has never come.
      try inbox.park(parkedRecord("f2", key: "order-2", version: 2), in: transaction)
    }

    let parked = try await store.inbox.parked(limit: 10)
    let summary = try await store.inbox.summary()

    #expect(parked.map(\.identity.eventID) == ["e3", "e4", "f2"])
    #expect(parked.map(\.waitingForVersion) == [2, 2, 1])
    #expect(parked.map(\.deadLetterID) == [1, 1, nil])
    #expect(summary.parkedRecords == 3)
    #expect(summary.oldestGap == start + .seconds(5))
  }

  @Test(arguments: StoreKind.allCases)
  func parkedPagesNeitherRepeatNorSkip(_ kind: StoreKind) async throws {
    let store = try kind.open()
    try store.inbox.transact { [inbox = store.inbox] transaction in
      for order in 0..<4 {
        for version in [2, 3, 10] as [Int64] {
          try inbox.park(parkedRecord("\(order)-\(version)", key: "order-\(order)", version: version), in: transaction)
        }
      }
    }

    var seen: [String] = []
    var position: ParkedPosition?
    while true {
      let page = try await store.inbox.parked(after: position, limit: 5)
      guard let last = page.last else { break }
      seen += page.map(\.identity.eventID)
      position = ParkedPosition(last)
    }

    #expect(seen == (0..<4).flatMap { order in [2, 3, 10].map { "\(order)-\($0)" } })
    let ofKey = try await store.inbox.parked(ofKey: "order-2", limit: 2)
    #expect(ofKey.map(\.identity.eventID) == ["2-2", "2-3"])
    let rest = try await store.inbox.parked(ofKey: "order-2", after: ofKey.last.map { ParkedPosition($0) }, limit: 2)
    #expect(rest.map(\.identity.eventID) == ["2-10"])
  }

  @Test(arguments: StoreKind.allCases)
  func theEventsOfAKeyComeInTheOrderOfTheirHandling(_ kind: StoreKind) async throws {
    let store = try kind.open()
    for (id, version) in [("c", 1), ("a", 2), ("b", 3)] as [(String, Int64)] {
      try store.inbox.transact { [inbox = store.inbox] in
        _ = try inbox.register(inboxEntry(id, version: version), outcome: .processed, in: $0)
      }
      store.clock.advance(by: .milliseconds(1))
    }

    let events = try await store.inbox.entries(ofKey: "order-1")

    #expect(events.map(\.identity.eventID) == ["c", "a", "b"])
    #expect(events.map(\.identity.version) == [1, 2, 3])
    #expect(events[0].topicPartition == TopicPartition("orders", 2))
    #expect(try await store.inbox.entries(ofKey: "order-9").isEmpty)
    #expect(try await store.inbox(of: "group-b").entries(ofKey: "order-1").isEmpty)
  }

  /// A list must not become slow with the table: none may read it all.
  @Test func hotQueriesUseTheirIndexes() async throws {
    let store = try StoreKind.memory.open()
    let queries = [
      "SELECT topic FROM outbox_pending CROSS JOIN outbox_messages USING (sequence) WHERE sequence > 5 "
        + "ORDER BY sequence LIMIT 10",
      "SELECT published_at FROM outbox_messages INDEXED BY outbox_by_key LEFT JOIN outbox_publications USING (sequence) "
        + "WHERE message_key = CAST('a' AS BLOB) AND sequence < 5 ORDER BY sequence DESC LIMIT 10",
      "SELECT event_id, published_at FROM outbox WHERE sequence < 5 ORDER BY sequence DESC LIMIT 10",
      "DELETE FROM outbox_publications WHERE sequence > 5 AND sequence <= 9 AND EXISTS "
        + "(SELECT 1 FROM outbox_pending WHERE outbox_pending.sequence = outbox_publications.sequence)",
      "SELECT id FROM dead_letters WHERE consumer_group = 'a' AND status = 'open' AND id < 9 ORDER BY id DESC LIMIT 10",
      "SELECT event_id FROM parked_events WHERE consumer_group = 'a' AND (event_key, version, event_id) > ('', 1, '') "
        + "ORDER BY event_key, version, event_id LIMIT 10",
    ]

    for query in queries {
      let plan = try await store.database.read { database in
        try Row.fetchAll(database, sql: "EXPLAIN QUERY PLAN \(query)").map { $0["detail"] as String }
      }
      #expect(plan.allSatisfy { $0.hasPrefix("SEARCH") || $0.hasPrefix("CORRELATED") }, "\(plan)")
    }
  }

  private func pages(of outbox: SQLiteOutbox, _ filter: OutboxFilter) async throws -> [Int64] {
    var seen: [Int64] = []
    while true {
      let page = try await outbox.entries(matching: filter, before: seen.last, limit: 4)
      guard !page.isEmpty else { return seen }
      seen += page.map(\.sequence)
    }
  }
}

import Messaging
import MessagingSQLite
import Testing
import WireFormat

/// What writers and the relay rely on, over every store.
@Suite("The store's contract: outbox", .timeLimit(.minutes(2)))
struct StoreContractOutboxTests {
  @Test(arguments: StoreKind.allCases)
  func rowsComeOutExactlyAsTheyWentInAndInTheOrderOfTheCommits(_ kind: StoreKind) throws {
    let store = try kind.open()
    let every: [UInt8] = Array(0...255)
    let messages = [
      OutgoingMessage(topic: "orders", key: Array("order-1".utf8), value: every, headers: [Header("ce_id", "1")]),
      OutgoingMessage(topic: "orders", key: nil, value: nil),
      OutgoingMessage(
        topic: "other", key: [], value: [],
        headers: [
          Header(name: "null", value: nil), Header(name: "empty", value: []), Header("", "no name"),
          Header("twice", "1"), Header("twice", "2"), Header(name: "bytes", value: every + every),
        ]),
    ]

    for (index, message) in messages.enumerated() {
      try store.append(OutboxMessage(eventID: "\(index)", eventType: "T", message: message))
    }
    let rows = try store.outbox.unpublished(after: 0, limit: 10)

    #expect(rows.map(\.message) == messages)
    #expect(rows.map(\.sequence) == [1, 2, 3])
    #expect(try store.outbox.unpublished(after: 1, limit: 1).map(\.sequence) == [2])
    #expect(try store.outbox.unpublished(after: 3, limit: 1).isEmpty)
    #expect(try store.outbox.unpublishedCount() == 3)
  }

  @Test(arguments: StoreKind.allCases)
  func whatIsRolledBackIsNeverPublished(_ kind: StoreKind) throws {
    let store = try kind.open()
    let wakes = Tally()
    store.outbox.onCommit { wakes.add() }

    #expect(throws: Refused.self) {
      try store.database.writeBlocking { [outbox = store.outbox] transaction in
        try outbox.append(outboxMessage("1"), in: transaction)
        throw Refused()
      }
    }

    #expect(try store.unpublished() == [])
    #expect(wakes.value == 0)
  }

  @Test(arguments: StoreKind.allCases)
  func aCommitWakesTheRelayOnceHoweverMuchWasAppended(_ kind: StoreKind) throws {
    let store = try kind.open()
    let wakes = Tally()
    store.outbox.onCommit { wakes.add() }

    try store.append(outboxMessage("1"), outboxMessage("2"), outboxMessage("3"))
    #expect(wakes.value == 1)
    try store.database.writeBlocking { _ in }
    #expect(wakes.value == 1)
    try store.append(outboxMessage("4"))
    #expect(wakes.value == 2)
  }

  @Test(arguments: StoreKind.allCases)
  func theSequenceIsTheOrderOfTheCommitsHoweverManyAppendAtOnce(_ kind: StoreKind) async throws {
    let store = try kind.open()

    let reading = Task.detached {
      // Whatever moment a reader sees: a row that commits later never has a lower sequence.
      var looks = 0
      while try store.outbox.unpublishedCount() ?? 0 < 200 {
        let sequences = try store.outbox.unpublished(after: 0, limit: 1000).map(\.sequence)
        #expect(sequences == Array(1...Int64(max(1, sequences.count))).prefix(sequences.count).map { $0 })
        looks += 1
        await Task.yield()
      }
      return looks
    }
    await withTaskGroup(of: Void.self) { group in
      for index in 0..<300 {
        group.addTask {
          try? await store.database.write { [outbox = store.outbox] transaction in
            try outbox.append(outboxMessage("\(index)"), in: transaction)
            if index % 3 == 0 { throw Refused() }
          }
        }
      }
    }

    _ = try await reading.value
    #expect(try store.unpublished() == Array(1...200))
  }

  @Test(arguments: StoreKind.allCases)
  func onlyWhatHasAReceiptIsMarked(_ kind: StoreKind) throws {
    let store = try kind.open()
    try store.append(outboxMessage("1"), outboxMessage("2"), outboxMessage("3"))
    let lease = try store.lease()

    try store.outbox.markPublished([receipt(3, partition: 1, offset: 40), receipt(1, offset: 9)], lease: lease)

    #expect(try store.unpublished() == [2])
    #expect(try store.outbox.unpublishedCount() == 1)
  }

  @Test(arguments: StoreKind.allCases)
  func aRowThatIsMarkedTwiceIsWhereTheLaterMarkSays(_ kind: StoreKind) async throws {
    let store = try kind.open()
    try store.append(outboxMessage("1"))
    let lease = try store.lease()
    try store.outbox.markPublished([receipt(1, offset: 9)], lease: lease)
    let moment = store.clock.clocks.wall()
    store.clock.advance(by: .seconds(1))

    try store.outbox.markPublished([receipt(1, partition: 2, offset: 40)], lease: lease)

    let publication = try await store.outbox.entries(limit: 10).first?.publication
    #expect(publication?.topicPartition == TopicPartition("orders", 2) && publication?.offset == 40)
    #expect(publication?.at == moment + .seconds(1))
    #expect(try store.outbox.unpublishedCount() == 0)
  }

  @Test(arguments: StoreKind.allCases)
  func theHighestAcknowledgedOffsetOfEachPartitionIsRemembered(_ kind: StoreKind) throws {
    let store = try kind.open()
    try store.append(outboxMessage("1"), outboxMessage("2"), outboxMessage("3"), outboxMessage("4"))
    let lease = try store.lease()
    try store.outbox.bind(toCluster: "cluster-a", lease: lease)

    try store.outbox.markPublished([receipt(1, offset: 9), receipt(2, partition: 1, offset: 3)], lease: lease)
    try store.outbox.markPublished([receipt(3, offset: 8), receipt(4, offset: nil)], lease: lease)

    let state = try store.outbox.publicationState()
    #expect(state.clusterID == "cluster-a")
    #expect(state.highestAcknowledged == [TopicPartition("orders", 0): 9, TopicPartition("orders", 1): 3])
    #expect(try store.unpublished() == [])
  }

  @Test(arguments: StoreKind.allCases)
  func aNewStoreHasPublishedToNoCluster(_ kind: StoreKind) throws {
    let store = try kind.open()

    #expect(try store.outbox.publicationState() == PublicationState(clusterID: nil, highestAcknowledged: [:]))
  }

  @Test(arguments: StoreKind.allCases)
  func aNewEpochPublishesAgainWhatIsWithinRetention(_ kind: StoreKind) throws {
    let store = try kind.open()
    let lease = try store.lease(duration: .seconds(100_000))
    try store.outbox.bind(toCluster: "cluster-a", lease: lease)
    try store.append(outboxMessage("too old"))
    try store.outbox.markPublished([receipt(1, offset: 0)], lease: lease)
    store.clock.advance(by: .seconds(3601))
    try store.append(outboxMessage("2"), outboxMessage("3"), outboxMessage("not published yet"))
    try store.outbox.markPublished([receipt(2, offset: 1), receipt(3, offset: 2)], lease: lease)

    let next = try store.outbox.beginEpoch(clusterID: "cluster-b", lease: lease)
    #expect(try !store.outbox.publicationState().isEpochReady)
    let rows = try store.makeEpochReady(next)

    #expect(next.token == lease.token)
    #expect(next.publishEpoch == lease.publishEpoch + 1)
    #expect(rows == 2)
    #expect(try store.unpublished() == [2, 3, 4])
    #expect(try store.outbox.publicationState() == PublicationState(clusterID: "cluster-b", highestAcknowledged: [:]))
  }

  @Test(arguments: StoreKind.allCases)
  func anEpochBecomesReadyStepByStep(_ kind: StoreKind) throws {
    let store = try kind.open()
    let first = try store.lease()
    for id in 1...5 { try store.append(outboxMessage("\(id)")) }
    try store.outbox.markPublished((1...5).map { receipt($0, offset: $0) }, lease: first)
    let lease = try store.outbox.beginEpoch(clusterID: "cluster-b", lease: first)

    #expect(try store.outbox.continueEpoch(lease: lease, limit: 2) == EpochStep(rows: 2, isReady: false))
    #expect(try store.unpublished() == [1, 2])
    #expect(try store.outbox.continueEpoch(lease: lease, limit: 2) == EpochStep(rows: 2, isReady: false))
    #expect(throws: LeaseLost.self) { try store.outbox.continueEpoch(lease: first, limit: 2) }
    #expect(try store.outbox.continueEpoch(lease: lease, limit: 2) == EpochStep(rows: 1, isReady: false))
    #expect(try store.outbox.continueEpoch(lease: lease, limit: 2) == EpochStep(rows: 0, isReady: true))
    #expect(try store.unpublished() == [1, 2, 3, 4, 5])
    #expect(try store.outbox.publicationState().isEpochReady)
    #expect(try store.outbox.continueEpoch(lease: lease, limit: 2) == EpochStep(rows: 0, isReady: true))
  }

  /// However long its service was stopped in between.
  @Test(arguments: StoreKind.allCases)
  func anEpochHasWhatWasWithinRetentionWhenItBegan(_ kind: StoreKind) async throws {
    let store = try kind.open()
    let first = try store.lease(duration: .seconds(100_000))
    for id in 1...3 { try store.append(outboxMessage("\(id)")) }
    try store.outbox.markPublished((1...3).map { receipt($0, offset: $0) }, lease: first)
    let lease = try store.outbox.beginEpoch(clusterID: "cluster-b", lease: first)
    _ = try store.outbox.continueEpoch(lease: lease, limit: 1)

    store.clock.advance(by: .seconds(7200))
    #expect(try await store.outbox.purge().deleted == 0)
    #expect(try await !store.outbox.summary().isEpochReady)
    #expect(try store.makeEpochReady(lease) == 2)

    #expect(try store.unpublished() == [1, 2, 3])
    #expect(try await store.outbox.summary().isEpochReady)
  }

  @Test(arguments: StoreKind.allCases)
  func aMarkOfAnOlderEpochIsRefused(_ kind: StoreKind) throws {
    let store = try kind.open()
    try store.append(outboxMessage("1"))
    let old = try store.lease()

    let new = try store.outbox.beginEpoch(clusterID: "cluster-b", lease: old)

    #expect(throws: LeaseLost.self) { try store.outbox.markPublished([receipt(1, offset: 0)], lease: old) }
    #expect(throws: LeaseLost.self) { try store.outbox.beginEpoch(clusterID: "cluster-c", lease: old) }
    #expect(try store.unpublished() == [1])
    try store.outbox.markPublished([receipt(1, offset: 0)], lease: new)
    #expect(try store.unpublished() == [])
  }

  @Test(arguments: StoreKind.allCases)
  func ofDeadLettersANewEpochPublishesOnlyTheOpenOnes(_ kind: StoreKind) throws {
    let store = try kind.open()
    try store.inbox.transact { [inbox = store.inbox] transaction throws in
      for id in ["open", "resolved", "discarded"] {
        #expect(try inbox.keep(deadLetter(id), in: transaction))
      }
      try transaction.database.execute(
        sql: """
          UPDATE dead_letters SET status = event_id, resolved_at = CASE event_id WHEN 'open' THEN NULL ELSE failed_at END
          """)
    }
    let lease = try store.lease(duration: .seconds(100_000))
    try store.outbox.markPublished((1...3).map { receipt($0, offset: $0) }, lease: lease)
    store.clock.advance(by: .seconds(7200))

    let rows = try store.makeEpochReady(store.outbox.beginEpoch(clusterID: "cluster-b", lease: lease))

    #expect(rows == 1, "an open one is published again however old it is")
    #expect(try store.unpublished() == [1])
  }
}

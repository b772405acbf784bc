import Messaging
import MessagingSQLite
import Testing
import WireFormat

@Suite("Outbox replay", .timeLimit(.minutes(2)))
struct SQLiteReplayTests {
  /// Ten rows of two keys, published one a second, but for the last two.
  private func outbox(_ kind: StoreKind) throws -> StoreUnderTest {
    let store = try kind.open()
    for index in 1...10 { try store.append(outboxMessage("\(index)", key: "order-\(index % 2)")) }
    let lease = try store.lease(duration: .seconds(60))
    for sequence in 1...8 as ClosedRange<Int64> {
      try store.outbox.markPublished([receipt(sequence, offset: sequence)], lease: lease)
      store.clock.advance(by: .seconds(1))
    }
    #expect(try store.unpublished() == [9, 10])
    return store
  }

  @Test(arguments: StoreKind.allCases)
  func everythingThatWasPublishedIsPublishedAgainInSteps(_ kind: StoreKind) async throws {
    let store = try outbox(kind)
    let calls = Tally()
    store.outbox.onReplay { calls.add() }

    var steps: [ReplayStep] = []
    var position: Int64? = 0
    while let after = position {
      steps.append(try await store.outbox.replay(ReplaySelection(), after: after, limit: 3, isDryRun: false))
      position = steps.last?.next
    }

    #expect(steps == [ReplayStep(rows: 3, next: 3), ReplayStep(rows: 3, next: 6), ReplayStep(rows: 2, next: nil)])
    #expect(try store.unpublished() == Array(1...10))
    #expect(calls.value == 3)
  }

  @Test(arguments: StoreKind.allCases)
  func oneOrderAndOneStretchOfTimeCanBeChosen(_ kind: StoreKind) async throws {
    let store = try outbox(kind)
    let start = store.clock.clocks.wall() + .seconds(-8)

    let rows = try await [
      ReplaySelection(key: "order-1"), ReplaySelection(since: start + .seconds(5)),
      ReplaySelection(since: start + .seconds(5), key: "order-0"), ReplaySelection(key: "order-9"),
      ReplaySelection(publishedBefore: start + .seconds(2)),
    ].asyncMap { try await store.outbox.replay($0, limit: 100, isDryRun: true).rows }

    #expect(rows == [4, 3, 2, 0, 2])
    #expect(try store.unpublished() == [9, 10])
    _ = try await store.outbox.replay(ReplaySelection(key: "order-1"), limit: 100, isDryRun: false)
    #expect(try store.unpublished() == [1, 3, 5, 7, 9, 10])
  }

  @Test(arguments: StoreKind.allCases)
  func ofDeadLettersOnlyTheOpenOnesArePublishedAgain(_ kind: StoreKind) async throws {
    let store = try kind.open()
    try store.inbox.transact { [inbox = store.inbox] transaction in
      for id in ["open", "resolved", "discarded"] { _ = try inbox.keep(deadLetter(id), in: transaction) }
      try inbox.close(2, as: .resolved, reason: nil, in: transaction)
      try inbox.close(3, as: .discarded, reason: "no", in: transaction)
    }
    try store.outbox.markPublished((1...3).map { receipt($0, offset: $0) }, lease: store.lease())

    let step = try await store.outbox.replay(ReplaySelection(), limit: 100, isDryRun: false)

    #expect(step == ReplayStep(rows: 1, next: nil))
    #expect(try store.unpublished() == [1])
  }

  @Test func aReplayedRowIsPublishedAgainByTheRelayThatRuns() async throws {
    let world = try RelayWorld()
    let relay = world.relay()
    world.store.outbox.onReplay { relay.wakeForRescan() }
    try world.append("a", "b", "a")
    let loop = relay.makeLoop()
    loop.settle()
    let published = world.published(key: "a")

    _ = try await world.store.outbox.replay(ReplaySelection(key: "a"), limit: 100, isDryRun: false)
    loop.settle()

    #expect(world.published(key: "a") == published + published)
    #expect(world.published(key: "b").count == 1)
    #expect(try world.store.unpublished() == [])
  }
}

extension Array {
  fileprivate func asyncMap<Value>(_ body: (Element) async throws -> Value) async rethrows -> [Value] {
    var values: [Value] = []
    for element in self { values.append(try await body(element)) }
    return values
  }
}

import MessagingSQLite
import Testing

@testable import Messaging

/// Rows go out together where there are many, and at once where there is one.
@Suite("Outbox relay: pace")
struct RelayPaceTests {
  @Test func rowsOfManyKeysAreInFlightTogether() throws {
    let world = try RelayWorld()
    world.broker.holdAcknowledgements()
    try world.append((0..<1_500).map { "key-\($0)" })
    let relay = world.relay()

    relay.makeLoop().settle()

    // One after another would be one in flight, and a round trip for each.
    #expect(relay.status().inFlight == 1_500)
  }

  @Test func marksGatherWhileRowsGoOutAtOnce() throws {
    let world = try RelayWorld()
    world.configuration.markInterval = .milliseconds(20)
    let relay = world.relay()
    let loop = relay.makeLoop()
    loop.settle()

    for number in 1...5 {
      try world.append("key-\(number)")
      relay.wake()
      loop.settle()
    }
    #expect(world.published().count == 5)
    #expect(try world.store.unpublished() == [2, 3, 4, 5], "the first is marked at once")

    world.advance(.milliseconds(20))
    loop.settle()
    #expect(try world.store.unpublished() == [])
  }

  @Test func aRelayThatStopsMarksAtOnce() throws {
    let world = try RelayWorld()
    world.configuration.markInterval = .seconds(3600)
    let relay = world.relay()
    let loop = relay.makeLoop()
    loop.settle()
    for key in ["a", "b"] {
      try world.append(key)
      relay.wake()
      loop.settle()
    }
    #expect(try world.store.unpublished() == [2])

    relay.bell.ring { $0.stop = true }
    loop.settle()

    #expect(loop.isFinished)
    #expect(try world.store.unpublished() == [])
  }

  @Test func marksThatMuchWaitsForDoNotWaitForTheInterval() throws {
    let world = try RelayWorld()
    world.configuration.maximumUnmarkedRows = 8
    world.configuration.pageSize = 4
    world.configuration.markInterval = .seconds(3600)
    try world.append((0..<100).map { "key-\($0)" })

    world.relay().makeLoop().settle(400)

    #expect(world.published().count == 100)
  }

  /// The store answers a mark while rows go on: nothing is lost, marked twice or published twice for it.
  @Test func aRelayGoesOnWhileItsMarksAreMade() throws {
    let world = try RelayWorld()
    let relay = world.relay()
    let loop = relay.makeLoop(marks: .untilTheNextTurn)
    loop.settle()
    try world.append("a", "b")
    relay.wake()
    loop.turn(waitingAtMost: .zero)
    loop.turn(waitingAtMost: .zero)
    try world.append("a", "c")
    relay.wake()

    loop.settle()

    #expect(world.published().count == 4)
    #expect(try world.store.unpublished() == [])
    #expect(relay.status().inMemory == 0)
  }

  @Test func aBacklogGoesOutWhileItsMarksAreMade() throws {
    let world = try RelayWorld()
    world.configuration.maximumRows = 8
    world.configuration.pageSize = 8
    world.configuration.maximumUnmarkedRows = 32
    world.configuration.markInterval = .seconds(3600)
    world.broker.holdAcknowledgements()
    try world.append((0..<24).map { "key-\($0)" })
    let loop = world.relay().makeLoop(marks: .untilTheNextTurn)
    loop.settle()
    #expect(world.published().count == 8)

    world.broker.releaseAcknowledgements()
    loop.turn(waitingAtMost: .zero)

    #expect(try world.store.unpublished() == Array(9...24))
    #expect(world.published().count == 16, "the relay has not heard of the marks of the first eight")
  }

  @Test func marksAreMadeAQuarterOfTheirMostAtATime() throws {
    let world = try RelayWorld()
    world.configuration.maximumUnmarkedRows = 16
    try world.append((0..<20).map { "key-\($0)" })
    let loop = world.relay().makeLoop(marks: .untilTheNextTurn)
    var unpublished: [Int] = []
    for _ in 0..<20 {
      loop.turn(waitingAtMost: .zero)
      unpublished.append(try world.store.unpublished().count)
    }
    #expect(Set(unpublished).isSuperset(of: [16, 12, 8, 4, 0]))
    #expect(unpublished.allSatisfy { $0.isMultiple(of: 4) })
  }

  /// What is published and not marked is published again by the next relay: that is bounded.
  @Test func aStoreThatMakesNoMarksStopsTheRelay() throws {
    let world = try RelayWorld()
    world.configuration.maximumRows = 8
    world.configuration.pageSize = 4
    world.configuration.maximumUnmarkedRows = 16
    try world.append((0..<100).map { "key-\($0)" })
    let relay = OutboxRelay(
      store: StoreWithoutMarks(outbox: world.store.outbox), broker: world.broker, configuration: world.configuration,
      holder: .currentProcess(name: "relay"), logger: quietLogger)

    relay.makeLoop(marks: .meanwhile).settle(100)

    #expect((16...24).contains(world.published().count))
  }

  @Test func whatBecameOfTheMarksOfALostLeaseIsOfNoInterest() throws {
    let world = try RelayWorld()
    let relay = world.relay()
    let loop = relay.makeLoop(marks: .untilTheNextTurn)
    loop.settle()
    try world.append("a")
    relay.wake()
    loop.turn(waitingAtMost: .zero)
    // Its marks are made, and before it hears of it, the lease is over and the rows are another's.
    world.advance(.seconds(10))
    world.relay("other").makeLoop().settle()

    loop.settle(30)

    #expect(try world.store.unpublished() == [])
    #expect(relay.status().lease == nil)
    #expect(relay.status().inMemory == 0)
  }

  @Test func aSteadyTrickleWaitsForNoBatch() throws {
    let world = try RelayWorld()
    let relay = world.relay()
    let loop = relay.makeLoop()
    loop.settle()

    // Not a moment passes: a timer that each new row starts again would never fire.
    for number in 1...100 {
      try world.append("key-\(number % 7)")
      relay.wake()
      loop.settle(3)
      #expect(world.published().count == number)
    }
    #expect(try world.store.unpublished() == [])
  }
}

/// Takes marks, and never says what became of them.
private struct StoreWithoutMarks: OutboxStore {
  let outbox: SQLiteOutbox

  func markPublished(
    _ receipts: [PublicationReceipt], lease: RelayLease, answer: @escaping @Sendable (Result<Void, any Error>) -> Void
  ) {}

  func markPublished(_ receipts: [PublicationReceipt], lease: RelayLease) throws {}

  func acquireLease(for holder: LeaseHolder, duration: Duration) throws -> RelayLease? {
    try outbox.acquireLease(for: holder, duration: duration)
  }

  func renewLease(_ lease: RelayLease, duration: Duration) throws { try outbox.renewLease(lease, duration: duration) }
  func releaseLease(_ lease: RelayLease) throws { try outbox.releaseLease(lease) }
  func publicationState() throws -> PublicationState { try outbox.publicationState() }

  func unpublished(after sequence: Int64, limit: Int) throws -> [OutboxRow] {
    try outbox.unpublished(after: sequence, limit: limit)
  }

  func bind(toCluster clusterID: String, lease: RelayLease) throws {
    try outbox.bind(toCluster: clusterID, lease: lease)
  }

  func beginEpoch(clusterID: String, lease: RelayLease) throws -> RelayLease {
    try outbox.beginEpoch(clusterID: clusterID, lease: lease)
  }

  func continueEpoch(lease: RelayLease, limit: Int) throws -> EpochStep {
    try outbox.continueEpoch(lease: lease, limit: limit)
  }
}

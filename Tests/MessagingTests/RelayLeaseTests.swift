import MessagingSQLite
import Testing

@testable import Messaging

/// One relay at a time, and a broker that may come back with nothing.
@Suite("Outbox relay: lease and epochs")
struct RelayLeaseTests {
  @Test func ofTwoRelaysOneStandsByAndTakesOver() throws {
    let world = try RelayWorld()
    let (first, second) = (world.relay("first"), world.relay("second"))
    let (firstLoop, secondLoop) = (first.makeLoop(), second.makeLoop())
    firstLoop.settle()
    secondLoop.settle()
    #expect(first.status().holdsLease && !second.status().holdsLease)

    try world.append("a", "b")
    second.wake()
    secondLoop.settle()
    #expect(world.published().isEmpty)

    // The first dies without a word.
    world.advance(.seconds(4))
    secondLoop.settle()
    #expect(second.status().holdsLease)
    #expect(world.published().count == 2)
  }

  @Test func aLeaseThatWasGivenBackIsTakenAsSoonAsThereIsWorkAndNotOnlyAtTheNextLook() throws {
    let world = try RelayWorld()
    let (first, second) = (world.relay("first"), world.relay("second"))
    let (firstLoop, secondLoop) = (first.makeLoop(), second.makeLoop())
    firstLoop.settle()
    secondLoop.settle()
    first.bell.ring { $0.stop = true }
    firstLoop.settle()
    #expect(firstLoop.isFinished)

    world.advance(.milliseconds(100))
    secondLoop.settle()
    #expect(!second.status().holdsLease)
    try world.append("a")
    second.wake()
    secondLoop.settle()
    #expect(second.status().holdsLease)
    #expect(world.published().count == 1)
  }

  @Test func aLeaseIsRenewedForAsLongAsTheRelayLives() throws {
    let world = try RelayWorld()
    let (first, second) = (world.relay("first"), world.relay("second"))
    let (firstLoop, secondLoop) = (first.makeLoop(), second.makeLoop())
    for _ in 0..<30 {
      firstLoop.settle(3)
      secondLoop.settle(3)
      world.advance(.milliseconds(700))
    }
    #expect(first.status().lease?.token == 1)
    #expect(!second.status().holdsLease)
  }

  @Test func aRelayThatWasPausedBeyondItsLeaseMarksNothing() throws {
    let world = try RelayWorld()
    try world.append("a", "a")
    world.broker.holdAcknowledgements()
    let (first, second) = (world.relay("first"), world.relay("second"))
    let (firstLoop, secondLoop) = (first.makeLoop(), second.makeLoop())
    firstLoop.settle()
    #expect(world.published() == [world.appended["a"]?[0]])

    // The first stands still; its lease passes to the second, whose reports do not come either.
    world.advance(.seconds(4))
    secondLoop.settle()
    #expect(second.status().holdsLease)
    world.broker.releaseAcknowledgements()
    firstLoop.turn(waitingAtMost: .zero)
    #expect(try world.store.unpublished().count == 2)
    #expect(!first.status().holdsLease && first.status().inMemory == 0)

    secondLoop.settle()
    firstLoop.settle()
    #expect(try world.store.unpublished() == [])
    world.expectFirstCopiesInOrder()
  }

  @Test func aStaleTokenIsRefusedByTheStoreEvenIfTheRelayKnowsNothing() throws {
    // The relay's own clock stands still, so it thinks that its lease is good: the token has to stop it.
    let world = try RelayWorld()
    let frozen = ManualClock()
    world.configuration.clocks = frozen.clocks
    try world.append("a", "b")
    world.broker.holdAcknowledgements()
    let first = world.relay("first")
    let firstLoop = first.makeLoop()
    firstLoop.settle()
    world.advance(.seconds(4))
    #expect(try world.store.lease("second").token == 2)

    world.broker.releaseAcknowledgements()
    firstLoop.settle()

    #expect(try world.store.unpublished().count == 2)
    #expect(!first.status().holdsLease)
  }

  @Test func aCrashBetweenPublishingAndMarkingMakesCopiesInTheSameOrder() throws {
    let world = try RelayWorld()
    try world.append("a", "a", "b")
    world.broker.holdAcknowledgements()
    world.relay("first").makeLoop().settle()
    #expect(world.published().count == 2)

    world.broker.releaseAcknowledgements()
    world.advance(.seconds(4))
    world.relay("second").makeLoop().settle()

    let ids = try #require(world.appended["a"])
    #expect(world.published(key: "a") == [ids[0], ids[0], ids[1]])
    #expect(world.published(key: "b").count == 2)
    #expect(try world.store.unpublished() == [])
  }

  @Test func stoppingWaitsForWhatIsInFlightMarksItAndGivesTheLeaseBack() throws {
    let world = try RelayWorld()
    try world.append("a", "a", "b")
    world.broker.holdAcknowledgements()
    let relay = world.relay("first")
    let loop = relay.makeLoop()
    loop.settle()

    relay.bell.ring { $0.stop = true }
    loop.settle()
    #expect(!loop.isFinished)
    world.broker.releaseAcknowledgements()
    loop.settle()

    #expect(loop.isFinished)
    #expect(try world.store.unpublished().count == 1)
    #expect(world.published().count == 2)
    #expect(try world.store.lease("next").token == 2)
  }

  @Test func stoppingDoesNotWaitForEver() throws {
    let world = try RelayWorld()
    try world.append("a")
    world.broker.holdAcknowledgements()
    let relay = world.relay()
    let loop = relay.makeLoop()
    loop.settle()

    relay.bell.ring { $0.stop = true }
    for _ in 0..<8 where !loop.isFinished {
      loop.settle()
      world.advance(.milliseconds(900))
    }

    #expect(loop.isFinished)
    #expect(try world.store.lease("next").token == 2)
  }

  @Test func anotherClusterGetsEverythingAgain() throws {
    let world = try RelayWorld()
    try world.append("a", "b", "a")
    let relay = world.relay()
    let loop = relay.makeLoop()
    loop.settle()

    world.broker.loseData(newClusterID: "another")
    world.advance(.seconds(31))
    loop.settle(40)

    world.expectFirstCopiesInOrder()
    #expect(world.published().count == 3)
    #expect(relay.status().lease?.publishEpoch == 2)
    #expect(try world.store.outbox.publicationState().clusterID == "another")
  }

  /// Else a row could overtake one of its key that is not unpublished again yet.
  @Test func nothingIsPublishedBeforeTheEpochIsReady() throws {
    let world = try RelayWorld()
    world.configuration.epochStepSize = 1
    try world.append("a", "b", "a", "c", "a")
    let relay = world.relay()
    let loop = relay.makeLoop()
    loop.settle()

    world.broker.loseData(newClusterID: "another")
    world.advance(.seconds(31))
    var unpublished: [Int] = []
    while world.published().isEmpty {
      unpublished.append(try world.store.unpublished().count)
      loop.turn(waitingAtMost: .zero)
    }
    loop.settle(20)

    #expect(Set(unpublished) == [0, 1, 2, 3, 4, 5])
    world.expectFirstCopiesInOrder()
    #expect(world.published().count == 5)
    #expect(relay.status().lease?.publishEpoch == 2)
  }

  @Test func theNextRelayMakesAnEpochReadyThatAnotherHasBegun() throws {
    let world = try RelayWorld()
    world.configuration.epochStepSize = 1
    try world.append("a", "b", "a", "c", "a")
    let dying = world.relay("dying").makeLoop()
    dying.settle()
    world.broker.loseData(newClusterID: "another")
    world.advance(.seconds(31))
    while try world.store.unpublished().count < 2 { dying.turn(waitingAtMost: .zero) }

    world.advance(.seconds(4))
    let relay = world.relay("next")
    relay.makeLoop().settle(40)

    world.expectFirstCopiesInOrder()
    #expect(world.published().count == 5)
    #expect(relay.status().lease?.publishEpoch == 2)
    #expect(try world.store.unpublished() == [])
  }

  @Test func aBrokerThatLostItsDataUnderTheSameNameIsNoticedAtTheNextReport() throws {
    let world = try RelayWorld(partitions: 1)
    try world.append("a", "b", "a", "c")
    let relay = world.relay()
    let loop = relay.makeLoop()
    loop.settle()
    world.broker.loseData()
    world.advance(.milliseconds(1_500))

    try world.append("a")
    relay.wake()
    loop.settle(30)

    #expect(relay.status().lease?.publishEpoch == 2)
    #expect(try world.store.unpublished() == [])
    for (key, ids) in world.appended { #expect(Set(world.published(key: key)) == Set(ids)) }
  }

  @Test func aBrokerThatLostItsDataIsNoticedWhenARelayStarts() throws {
    let world = try RelayWorld()
    try world.append("a", "b", "a")
    world.relay("first").makeLoop().settle()
    world.broker.loseData()
    world.advance(.seconds(4))

    world.relay("second").makeLoop().settle(30)

    world.expectFirstCopiesInOrder()
    #expect(world.published().count == 3)
  }

  @Test func aTopicThatIsNotThereYetIsWaitedForBeforeItCountsAsLost() throws {
    let world = try RelayWorld()
    try world.append("a")
    world.relay("first").makeLoop().settle()
    world.broker.deleteTopic(RelayWorld.topic)
    world.advance(.seconds(4))
    let relay = world.relay("second")
    let loop = relay.makeLoop()
    loop.settle()
    #expect(relay.status().holdsLease && relay.status().lease?.publishEpoch == 1)
    #expect(!relay.status().isBrokerReachable)

    for _ in 0..<40 {
      loop.settle(4)
      world.advance(.milliseconds(900))
    }
    #expect(relay.status().lease?.publishEpoch == 2)
  }

  @Test func rowsThatBecameUnpublishedAgainArePublishedAgain() throws {
    let world = try RelayWorld()
    try world.append("a", "b", "a", "c")
    let relay = world.relay()
    let loop = relay.makeLoop()
    loop.settle()
    func unpublish(_ sequences: String) throws {
      try world.store.database.writeBlocking {
        try $0.database.execute(
          sql: """
            DELETE FROM outbox_publications WHERE sequence IN (\(sequences));
            INSERT INTO outbox_pending SELECT sequence FROM outbox_messages WHERE sequence IN (\(sequences));
            """)
      }
    }

    try unpublish("1, 3")
    relay.wakeForRescan()
    loop.settle()
    #expect(world.published().count == 6)

    // Nobody tells: the slow poll finds them.
    try unpublish("2")
    world.advance(.seconds(1))
    loop.settle()
    #expect(world.published().count == 7)
    world.expectFirstCopiesInOrder()
  }
}

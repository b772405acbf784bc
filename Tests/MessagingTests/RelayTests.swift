import MessagingSQLite
import Testing

@testable import Messaging

/// The relay over a store in memory and a broker in memory, step by step in this thread.
@Suite("Outbox relay")
struct RelayTests {
  @Test func publishesWhatWasAppendedInOrderAndMarksIt() throws {
    let world = try RelayWorld()
    try world.append("a", "b", "a", "c", "a", "b")
    let relay = world.relay()

    relay.makeLoop().settle()

    world.expectFirstCopiesInOrder()
    #expect(world.published().count == 6)
    #expect(try world.store.unpublished() == [])
    let status = relay.status()
    #expect(status.holdsLease && status.isBrokerReachable)
    #expect(status.published == 6 && status.inMemory == 0 && status.trouble == nil)
  }

  @Test func publishesInOrderAfterRestart() throws {
    let world = try RelayWorld()
    try world.append("a", "a", "b")
    world.relay("first").makeLoop().settle()
    try world.append("a", "b", "a")
    world.advance(.seconds(4))

    world.relay("second").makeLoop().settle()

    world.expectFirstCopiesInOrder()
    #expect(world.published().count == 6)
  }

  @Test func aRowAppendedLaterIsPublishedWhenWoken() throws {
    let world = try RelayWorld()
    let relay = world.relay()
    let loop = relay.makeLoop()
    loop.settle()

    try world.append("a")
    loop.settle()
    #expect(world.published().isEmpty)
    relay.wake()
    loop.settle()
    #expect(world.published().count == 1)
  }

  @Test func aWakeThatWasLostIsMadeUpForByTheSlowPoll() throws {
    let world = try RelayWorld()
    let loop = world.relay().makeLoop()
    loop.settle()
    try world.append("a")

    world.advance(.seconds(1))
    loop.settle()

    #expect(world.published().count == 1)
  }

  @Test func atMostOneRowOfAKeyIsUnacknowledged() throws {
    let world = try RelayWorld()
    world.broker.holdAcknowledgements()
    try world.append("a", "a", "b", "a", "b", "c")

    let relay = world.relay()
    relay.makeLoop().settle()

    #expect(Set(world.published()).count == 3)
    #expect(relay.status().inFlight == 3)
    #expect(try world.store.unpublished().count == 6)
  }

  @Test func nothingIsMarkedBeforeItsReport() throws {
    let world = try RelayWorld()
    world.broker.holdAcknowledgements()
    try world.append("a", "b")
    let loop = world.relay().makeLoop()
    loop.settle()
    #expect(try world.store.unpublished().count == 2)

    world.broker.releaseAcknowledgements()
    loop.settle()

    #expect(try world.store.unpublished() == [])
  }

  @Test func aFailureStopsItsKeyAndNotTheTable() throws {
    let world = try RelayWorld()
    try world.append("a", "a", "a", "b", "b")
    let second = try #require(world.appended["a"]?[1])
    world.broker.onProduce(failing(second, with: timedOut))
    let relay = world.relay()
    let loop = relay.makeLoop()

    loop.settle()
    #expect(world.published(key: "a") == [world.appended["a"]?[0]])
    #expect(world.published(key: "b") == world.appended["b"])
    #expect(relay.status().trouble == "_MSG_TIMED_OUT")

    world.broker.onProduce(nil)
    world.advance(.seconds(10))
    loop.settle()
    #expect(world.published(key: "a") == world.appended["a"])
    #expect(relay.status().trouble == nil)
  }

  @Test func aLostAcknowledgementMakesACopyInTheSameOrder() throws {
    let world = try RelayWorld()
    try world.append("a", "a", "a")
    let second = try #require(world.appended["a"]?[1])
    world.broker.onProduce { $0.headers.contains(Header("ce_id", second)) ? .writeAndFail(timedOut) : .acknowledge }
    let loop = world.relay().makeLoop()
    loop.settle()
    world.broker.onProduce(nil)
    world.advance(.seconds(10))
    loop.settle()

    let ids = try #require(world.appended["a"])
    #expect(world.published(key: "a") == [ids[0], ids[1], ids[1], ids[2]])
    #expect(try world.store.unpublished() == [])
  }

  @Test func aRefusedRowBlocksItsKeyAloneAndIsNeverGivenUp() throws {
    let world = try RelayWorld()
    try world.append("a", "a", "b")
    let first = try #require(world.appended["a"]?[0])
    world.broker.onProduce(failing(first, with: tooLarge))
    let relay = world.relay()
    let loop = relay.makeLoop()
    loop.settle()
    try world.append("a", "b")
    relay.wake()
    loop.settle()

    #expect(world.published(key: "a").isEmpty)
    #expect(world.published(key: "b") == world.appended["b"])
    #expect(relay.status().refusedKeys == 1)
    // Its memory is free for others.
    #expect(relay.status().inMemory == 0)

    world.broker.onProduce(nil)
    world.advance(.seconds(60))
    loop.settle()
    #expect(world.published(key: "a") == world.appended["a"])
    #expect(relay.status().refusedKeys == 0)
  }

  @Test func rowsForAMissingTopicWaitForIt() throws {
    let world = try RelayWorld()
    try world.append(["a", "a"], topic: "later")
    try world.append("b")
    let loop = world.relay().makeLoop()
    loop.settle()
    #expect(world.published(key: "b").count == 1)

    try world.broker.makeAdmin().createTopics(
      [TopicSpecification(name: "later", partitions: 1, replicationFactor: 1)], timeout: .zero)
    world.advance(.seconds(60))
    loop.settle()
    #expect(world.published(of: "later") == world.appended["a"])
  }

  @Test func moreRowsOfAKeyThanFitInMemoryStayInOrder() throws {
    let world = try RelayWorld()
    world.configuration.maximumRowsPerKey = 4
    world.configuration.pageSize = 3
    world.configuration.maximumRows = 20
    try world.append((0..<100).map { $0 % 5 == 0 ? "b\($0 % 7)" : "hot" })

    world.relay().makeLoop().settle(400)

    world.expectFirstCopiesInOrder()
    #expect(world.published().count == 100)
  }

  @Test func aKeyThatFailsDoesNotFillTheMemoryOfAll() throws {
    let world = try RelayWorld()
    world.configuration.maximumRows = 40
    world.configuration.maximumRowsPerKey = 10
    world.broker.onProduce { $0.key == Array("bad".utf8) ? .fail(timedOut) : .acknowledge }
    try world.append(Array(repeating: "bad", count: 200) + (0..<50).map { "good-\($0)" })
    let relay = world.relay()
    let loop = relay.makeLoop()

    loop.settle(50)
    #expect(world.published().count == 50)
    #expect(relay.status().inMemory == 10)

    world.broker.onProduce(nil)
    world.advance(.seconds(10))
    loop.settle(600)
    world.expectFirstCopiesInOrder()
  }

  @Test func memoryIsBoundedInRowsAndBytes() throws {
    let world = try RelayWorld()
    world.configuration.maximumRows = 30
    world.configuration.pageSize = 8
    world.broker.holdAcknowledgements()
    try world.append((0..<100).map { "k\($0)" })
    let relay = world.relay()
    let loop = relay.makeLoop()
    loop.settle(40)
    #expect(relay.status().inMemory <= 30)
    #expect(relay.status().inMemory >= 22)
    world.broker.releaseAcknowledgements()
    loop.settle(40)
    #expect(world.published().count == 100)

    world.configuration.maximumBytes = 200
    try world.append((0..<30).map { "k\($0)" })
    world.broker.holdAcknowledgements()
    world.advance(.seconds(4))
    let small = world.relay("small")
    let second = small.makeLoop()
    second.settle(40)
    #expect(small.status().inMemory > 0 && small.status().inMemory <= 6)
    world.broker.releaseAcknowledgements()
    second.settle(200)
    world.expectFirstCopiesInOrder()
    #expect(try world.store.unpublished() == [])
  }

  @Test func aFullProducerIsOfferedTheRestLater() throws {
    let world = try RelayWorld(producerQueueLimit: 3)
    try world.append((0..<50).map { "k\($0 % 9)" })

    world.relay().makeLoop().settle(200)

    world.expectFirstCopiesInOrder()
    #expect(world.published().count == 50)
  }

  @Test func ordersWaitWhileTheBrokerIsAwayAndGoOutWhenItIsBack() throws {
    let world = try RelayWorld()
    world.broker.takeDown()
    try world.append("a", "a", "b")
    let relay = world.relay()
    let loop = relay.makeLoop()
    for _ in 0..<20 {
      loop.settle()
      world.advance(.milliseconds(900))
    }
    #expect(!relay.status().isBrokerReachable)
    #expect(relay.status().holdsLease)
    #expect(try world.store.unpublished().count == 3)

    world.broker.bringUp()
    for _ in 0..<20 {
      loop.settle()
      world.advance(.milliseconds(900))
    }
    world.expectFirstCopiesInOrder()
    #expect(relay.status().isBrokerReachable)
  }

  @Test func anOutageInTheMiddleLosesNothing() throws {
    let world = try RelayWorld()
    try world.append("a", "b", "a")
    let relay = world.relay()
    let loop = relay.makeLoop()
    loop.settle()

    world.broker.takeDown()
    try world.append("a", "b", "a", "c")
    relay.wake()
    loop.settle()
    world.broker.timeOutWaitingMessages()
    loop.settle()
    #expect(try world.store.unpublished().count == 4)
    world.broker.bringUp()
    world.advance(.seconds(10))
    loop.settle(30)

    world.expectFirstCopiesInOrder()
    #expect(try world.store.unpublished() == [])
  }

  @Test func aBrokenProducerIsReplacedAndItsRowsAreSentAgain() throws {
    let world = try RelayWorld()
    let relay = world.relay()
    let loop = relay.makeLoop()
    world.broker.holdAcknowledgements()
    try world.append("a", "b", "a")
    loop.settle()

    world.broker.breakProducers()
    world.broker.releaseAcknowledgements()
    try world.append("a", "c")
    relay.wake()
    loop.settle(30)

    world.expectFirstCopiesInOrder()
    #expect(try world.store.unpublished() == [])
    #expect(relay.status().trouble == nil)
  }
}

import EventSchema
import Logging
import MessagingSQLite
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing
import WireFormat

@testable import Orders

@Suite(.timeLimit(.minutes(1))) struct OrdersWaitingTests {
  /// A clock that never moves: whoever sleeps sleeps until it is cancelled. What ends a wait was then a signal.
  private struct StoppedClock: Clock {
    var now: ContinuousClock.Instant { .now }
    var minimumResolution: Duration { .nanoseconds(1) }

    func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {
      let (never, continuation) = AsyncStream.makeStream(of: Void.self)
      for await _ in never {}
      withExtendedLifetime(continuation) {}
      try Task.checkCancellation()
    }
  }

  /// A clock on which every sleep is over at once.
  private struct RushedClock: Clock {
    var now: ContinuousClock.Instant { .now }
    var minimumResolution: Duration { .nanoseconds(1) }

    func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {}
  }

  private func waiting(in fixture: OrdersFixture, clock: any Clock<Duration>) -> AwaitSettledOrder {
    AwaitSettledOrder(
      getOrder: GetOrder(database: fixture.database, orders: fixture.store), waiters: fixture.waiters,
      clock: clock)
  }

  private func untilSomebodyWaits(in fixture: OrdersFixture, count: Int = 1) async {
    while fixture.waiters.count < count { await Task.yield() }
  }

  @Test func aWaitEndsWithTheCommitThatSettlesTheOrder() async throws {
    let fixture = try OrdersFixture()
    let order = try await fixture.place()
    let awaitSettledOrder = waiting(in: fixture, clock: StoppedClock())

    async let answer = awaitSettledOrder(order.id, upTo: .seconds(30))
    await untilSomebodyWaits(in: fixture)
    try await fixture.deliver(try reserved(), about: order.id)

    #expect(try await answer.status == .confirmed)
    #expect(fixture.waiters.count == 0)
  }

  @Test func aWaitEndsWhenAnotherInstanceSettlesTheOrder() async throws {
    let path = try temporaryFolder().appendingPathComponent("orders.sqlite").path
    let (here, there) = (try OrdersFixture(databasePath: path), try OrdersFixture(databasePath: path))
    let signals = [here, there].flatMap(\.services).compactMap { $0 as? InstanceSignals }
    let running = signals.map { signals in Task { try await signals.run() } }
    defer { for task in running { task.cancel() } }
    _ = try await eventually("that they know each other") {
      signals.count == 2 && signals.allSatisfy { $0.otherInstances == 1 } ? true : nil
    }
    let order = try await here.place()
    let awaitSettledOrder = waiting(in: there, clock: StoppedClock())

    async let answer = awaitSettledOrder(order.id, upTo: .seconds(30))
    await untilSomebodyWaits(in: there)
    try await here.deliver(try reserved(), about: order.id)

    #expect(try await answer.status == .confirmed)
  }

  @Test func everybodyWhoWaitsForAnOrderIsWokenAndNobodyElse() async throws {
    let fixture = try OrdersFixture()
    let (order, other) = (try await fixture.place(), try await fixture.place())
    let awaitSettledOrder = waiting(in: fixture, clock: StoppedClock())

    try await withThrowingTaskGroup(of: OrderStatus.self) { group in
      for _ in 0..<20 { group.addTask { try await awaitSettledOrder(order.id, upTo: .seconds(30)).status } }
      let elsewhere = Task { try await awaitSettledOrder(other.id, upTo: .seconds(30)).status }
      await untilSomebodyWaits(in: fixture, count: 21)
      try await fixture.deliver(rejected(), about: order.id)
      for try await status in group { #expect(status == .rejected) }

      #expect(fixture.waiters.count == 1)
      try await fixture.deliver(try reserved(), about: other.id)
      #expect(try await elsewhere.value == .confirmed)
    }
  }

  @Test func aChangeThatIsRolledBackWakesNobody() async throws {
    let fixture = try OrdersFixture()
    let order = try await fixture.place()
    let store = fixture.store
    let cancelled = try order.cancelled(reason: "x", at: Timestamp.now())
    struct Refused: Error {}

    await fixture.waiters.withChanges(of: order.id) { changes, signals in
      await #expect(throws: Refused.self) {
        try await fixture.database.write { transaction in
          try store.update(cancelled, trace: nil, in: transaction)
          throw Refused()
        }
      }
      signals.finish()
      var woken = 0
      for await _ in changes { woken += 1 }
      #expect(woken == 0)
    }
  }

  @Test func aSettledOrderIsAnsweredAtOnce() async throws {
    let fixture = try OrdersFixture()
    let order = try await fixture.place()
    try await fixture.deliver(try reserved(), about: order.id)

    let answer = try await waiting(in: fixture, clock: StoppedClock())(order.id, upTo: .seconds(60))

    #expect(answer.status == .confirmed)
  }

  @Test func noWakeUpIsLostWhenWaitAndChangeMeet() async throws {
    let fixture = try OrdersFixture()
    let awaitSettledOrder = waiting(in: fixture, clock: StoppedClock())

    for _ in 0..<300 {
      let order = try await fixture.place()
      async let answer = awaitSettledOrder(order.id, upTo: .seconds(30))
      async let change: Void = fixture.deliver(try reserved(), about: order.id)
      #expect(try await answer.status == .confirmed)
      try await change
    }
    #expect(fixture.waiters.count == 0)
  }

  @Test func anOrderThatAnotherInstanceSettlesIsSeenToo() async throws {
    let fixture = try OrdersFixture()
    let order = try await fixture.place()
    let otherInstance = OrderStore(
      outbox: SQLiteOutbox(database: fixture.database), waiters: OrderWaiters(), ids: UUIDv7Generator(),
      eventSource: "/elsewhere")
    let awaitSettledOrder = AwaitSettledOrder(
      getOrder: GetOrder(database: fixture.database, orders: fixture.store), waiters: fixture.waiters,
      safetyNet: .milliseconds(5))

    async let answer = awaitSettledOrder(order.id, upTo: .seconds(30))
    await untilSomebodyWaits(in: fixture)
    let confirmed = try order.confirmed(at: Timestamp.now())
    try await fixture.database.write { try otherInstance.update(confirmed, trace: nil, in: $0) }

    #expect(try await answer == confirmed)
  }

  @Test func theWaitOverTheOrderIsAnsweredAsItStands() async throws {
    let fixture = try OrdersFixture()
    let order = try await fixture.place()

    let answer = try await waiting(in: fixture, clock: RushedClock())(order.id, upTo: .seconds(60))

    #expect(answer == order)
    #expect(fixture.waiters.count == 0)
  }

  @Test func aCancelledWaitLeavesNothingBehind() async throws {
    let fixture = try OrdersFixture()
    let order = try await fixture.place()
    let awaitSettledOrder = waiting(in: fixture, clock: StoppedClock())

    let wait = Task { try await awaitSettledOrder(order.id, upTo: .seconds(60)) }
    await untilSomebodyWaits(in: fixture)
    wait.cancel()

    _ = await wait.result
    #expect(fixture.waiters.count == 0)
  }

  @Test func aWaitForNobodyLeavesNothingBehind() async throws {
    let fixture = try OrdersFixture()
    let nobody = try #require(OrderID("nobody"))

    await #expect(throws: UnknownOrder(orderID: nobody)) {
      try await waiting(in: fixture, clock: StoppedClock())(nobody, upTo: .seconds(60))
    }
    #expect(fixture.waiters.count == 0)
  }

  @Test func aShutdownEndsTheWaitWithTheOrderAsItStands() async throws {
    let fixture = try OrdersFixture()
    let order = try await fixture.place()
    let waiter = WaitingService(asking: waiting(in: fixture, clock: StoppedClock()), orderID: order.id)
    let group = ServiceGroup(services: [waiter], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })

    async let run: Void = group.run()
    await untilSomebodyWaits(in: fixture)
    await group.triggerGracefulShutdown()

    try await run
    #expect(waiter.answer.withLock { $0 } == order)
  }

  /// Stands for an HTTP server with one open request.
  private final class WaitingService: Service {
    let answer = Mutex<Order?>(nil)
    private let awaitSettledOrder: AwaitSettledOrder
    private let orderID: OrderID

    init(asking awaitSettledOrder: AwaitSettledOrder, orderID: OrderID) {
      self.awaitSettledOrder = awaitSettledOrder
      self.orderID = orderID
    }

    func run() async throws {
      let order = try await awaitSettledOrder(orderID, upTo: .seconds(60))
      answer.withLock { $0 = order }
      try await gracefulShutdown()
    }
  }

  @Test func theRouteWaitsAndIsWoken() async throws {
    let fixture = try OrdersFixture()
    let order = try await fixture.place()

    let answer = try await fixture.http { client in
      async let answer = client.get("/orders/\(order.id)?wait=60&until=settled")
      await untilSomebodyWaits(in: fixture)
      _ = try await client.post("/orders/\(order.id)/cancel")
      return try await answer
    }

    #expect(answer.status == 200 && answer["status"]?.string == "CANCELLED")
  }

  @Test func aClientThatGoesAwayLeavesNoWaiterBehind() async throws {
    let fixture = try OrdersFixture()
    let order = try await fixture.place()

    try await fixture.listening { client in
      let request = Task { try await client.get("/orders/\(order.id)?wait=60&until=settled") }
      await untilSomebodyWaits(in: fixture)
      request.cancel()
      _ = await request.result
      while fixture.waiters.count > 0 { await Task.yield() }
    }
  }

  @Test func aConnectionServesFurtherRequestsAfterAWait() async throws {
    let fixture = try OrdersFixture()
    let order = try await fixture.place()

    try await fixture.listening { client in
      async let waited = client.get("/orders/\(order.id)?wait=60&until=settled")
      await untilSomebodyWaits(in: fixture)
      try await fixture.deliver(try reserved(), about: order.id)
      let statuses = [try await waited.status, try await client.get("/orders/\(order.id)?wait=60").status]
      #expect(statuses == [200, 200])
    }
  }
}

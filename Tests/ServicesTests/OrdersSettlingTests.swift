import EventSchema
import Messaging
import Testing
import WireFormat

@testable import Orders

@Suite struct OrdersSettlingTests {
  @Test func aReservedOrderIsConfirmed() async throws {
    let fixture = try OrdersFixture()
    let order = try await fixture.place()

    try await fixture.deliver(try reserved(), about: order.id)

    let confirmed = try await fixture.order(order.id)
    #expect(confirmed.status == .confirmed && confirmed.version == 2 && confirmed.reason == nil)
    #expect(
      try await fixture.told().last?.payload
        == .orderConfirmed(
          OrderConfirmed(customerID: order.customerID, items: order.items, total: order.total)))
  }

  @Test(arguments: InventoryRejectionReason.allCases)
  func whatTheInventoryCannotServeIsRejectedForItsReason(_ reason: InventoryRejectionReason) async throws {
    let fixture = try OrdersFixture()
    let order = try await fixture.place()

    try await fixture.deliver(rejected(reason), about: order.id)

    let answer = try await fixture.http { try await $0.get("/orders/\(order.id)") }
    #expect(answer["status"]?.string == "REJECTED")
    #expect(answer["reason"]?.string == reason.rawValue)
    #expect(
      try await fixture.told().last?.payload
        == .orderRejected(
          OrderRejected(customerID: order.customerID, items: order.items, total: order.total, reason: reason.rawValue)))
  }

  @Test func answersForACancelledOrderChangeAndTellNothing() async throws {
    let fixture = try OrdersFixture()
    let order = try await fixture.place()
    let cancelled = try await CancelOrder(
      database: fixture.database, orders: fixture.store, now: { Timestamp.now() })(order.id, reason: "too slow")

    for answer in [try reserved(), rejected(), try released(), try reserved()] {
      try await fixture.deliver(answer, about: order.id)
    }

    #expect(try await fixture.order(order.id) == cancelled)
    #expect(try await fixture.told().map(\.type) == [.orderCreated, .orderCancelled])
  }

  @Test func theFirstAnswerSettlesAndLaterOnesChangeNothing() async throws {
    let fixture = try OrdersFixture()
    let reservedFirst = try await fixture.place()
    let rejectedFirst = try await fixture.place()

    for answer in [try reserved(), rejected(), try reserved(), try released()] {
      try await fixture.deliver(answer, about: reservedFirst.id)
    }
    for answer in [rejected(), try reserved(), rejected(.unknownProduct)] {
      try await fixture.deliver(answer, about: rejectedFirst.id)
    }

    #expect(try await fixture.order(reservedFirst.id).status == .confirmed)
    let refused = try await fixture.order(rejectedFirst.id)
    #expect(refused.status == .rejected && refused.version == 2 && refused.reason == "OUT_OF_STOCK")
    #expect(try await fixture.told().count == 4)
  }

  @Test func aReleaseWithoutACancellationChangesNothing() async throws {
    let fixture = try OrdersFixture()
    let order = try await fixture.place()

    try await fixture.deliver(try released(), about: order.id)

    #expect(try await fixture.order(order.id) == order)
  }

  @Test func anAnswerForAnUnknownOrderIsADeadLetterAtOnce() async throws {
    let fixture = try OrdersFixture()
    let unknown = try #require(OrderID("nobody-1"))

    for answer in [try reserved(), rejected(), try released()] {
      await #expect(throws: DeadLetterError("UNKNOWN_ORDER: no order nobody-1")) {
        try await fixture.deliver(answer, about: unknown)
      }
    }
    #expect(try await fixture.told().isEmpty)
  }

  @Test func theStoreRefusesAStepFromAnywhereElse() async throws {
    let fixture = try OrdersFixture()
    let order = try await fixture.place()
    let store = fixture.store
    let confirmed = try order.confirmed(at: Timestamp.now())
    let rejected = try order.rejected(reason: "OUT_OF_STOCK", at: Timestamp.now())
    try await fixture.database.write { try store.update(confirmed, trace: nil, in: $0) }

    // The version fits none of them any more; the last one has the right version and the wrong predecessor.
    let fromConfirmed = Order(
      id: order.id, customerID: order.customerID, items: order.items, total: order.total, status: .rejected,
      version: 3, reason: "OUT_OF_STOCK", createdAt: order.createdAt, updatedAt: order.updatedAt)
    for stale in [confirmed, rejected, fromConfirmed, order] {
      await #expect(throws: OrderChangedMeanwhile(orderID: order.id)) {
        try await fixture.database.write { try store.update(stale, trace: nil, in: $0) }
      }
    }

    #expect(try await fixture.order(order.id) == confirmed)
    #expect(try await fixture.told().map(\.type) == [.orderCreated, .orderConfirmed])
  }

  @Test func cancellationAndAnswerInAnyOrderEndInOneHistoryWithoutGap() async throws {
    var random = SeededRun.generator()
    let fixture = try OrdersFixture()
    let cancelOrder = CancelOrder(database: fixture.database, orders: fixture.store, now: { Timestamp.now() })

    for _ in 0..<100 {
      let order = try await fixture.place()
      let answer = Bool.random(using: &random) ? try reserved() : rejected()
      let cancelsFirst = Bool.random(using: &random)
      if cancelsFirst { _ = try await cancelOrder(order.id, reason: nil) }
      try await fixture.deliver(answer, about: order.id)
      if !cancelsFirst { _ = try? await cancelOrder(order.id, reason: nil) }
    }

    let histories = Dictionary(grouping: try await fixture.told(), by: \.envelope.orderID)
    for (orderID, history) in histories {
      #expect(history.map(\.envelope.orderVersion) == (1...history.count).map(Int64.init))
      let order = try await fixture.order(orderID)
      #expect(order.version == Int64(history.count))
      #expect(order.status.isSettled)
    }
  }
}

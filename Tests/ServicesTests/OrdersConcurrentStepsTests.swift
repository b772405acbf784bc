import EventSchema
import TestSupport
import Testing
import WireFormat

@testable import Orders

/// Pitfall 24, last write wins: whoever asks, and over whatever connection, an order takes one of its ways.
@Suite struct OrdersConcurrentStepsTests {
  @Test func twoServicesOverOneStoreGiveEachOrderOneHistory() async throws {
    let path = try temporaryFolder().appendingPathComponent("orders.sqlite").path
    let services = [try OrdersFixture(databasePath: path), try OrdersFixture(databasePath: path)]
    var placed: [Order] = []
    for _ in 0..<40 { placed.append(try await services[0].place()) }

    let orders = placed
    try await withThrowingTaskGroup(of: Void.self) { group in
      for order in orders {
        for service in services {
          let cancelOrder = CancelOrder(database: service.database, orders: service.store, now: { Timestamp.now() })
          group.addTask { try await service.deliver(try reserved(), about: order.id) }
          group.addTask { try await service.deliver(rejected(), about: order.id) }
          group.addTask { do { _ = try await cancelOrder(order.id, reason: nil) } catch is TransitionRefused {} }
        }
      }
      try await group.waitForAll()
    }

    for order in orders {
      let told = try await services[0].told(of: order.id)
      let history = told.map(\.type)
      let ways: [[EventType]] = [
        [.orderCreated, .orderCancelled], [.orderCreated, .orderRejected],
        [.orderCreated, .orderConfirmed, .orderCancelled],
      ]
      #expect(ways.contains(history), "\(history)")
      #expect(told.map(\.envelope.orderVersion) == (1...history.count).map(Int64.init))
      #expect(try await services[1].order(order.id).version == Int64(history.count))
    }
    for service in services { try service.database.close() }
  }
}

import EventSchema
import GRDB
import Messaging
import TestSupport
import Testing
import WireFormat

@testable import Inventory

/// Pitfall 23, compensation before action: a cancellation that overtakes its order, and what is given back.
@Suite struct InventoryCompensationTests {
  @Test func aReserveThatComesAfterItsCancellationIsRefused() async throws {
    let fixture = try InventoryFixture()
    try await fixture.stock("keyboard", 10)
    let order = try OrderScript("order-1", [("keyboard", 4)])

    try await fixture.deliver(order.cancelled())
    try await fixture.deliver(order.created(), order.created(version: 3))

    #expect(try await fixture.reservation("order-1") == nil)
    #expect(try await fixture.http.get("/reservations/order-1").status == 404)
    #expect(try await fixture.product("keyboard").reserved == 0)
    #expect(try await fixture.told().isEmpty)
  }

  @Test func aTombstoneIsForItsOrderAloneAndSaysWhy() async throws {
    let fixture = try InventoryFixture()
    try await fixture.stock("keyboard", 10)
    try await fixture.deliver(try OrderScript("order-1", [("keyboard", 4)]).cancelled("too slow"))
    try await fixture.deliver(try OrderScript("order-1", [("keyboard", 4)]).cancelled("again", version: 3))

    try await fixture.deliver(try OrderScript("order-2", [("keyboard", 4)]).created())

    #expect(try await fixture.reservation("order-2")?.status == .reserved)
    let tombstones = try await fixture.database.read { database in
      try Row.fetchAll(database, sql: "SELECT order_id, reason FROM reservation_tombstones").map {
        [$0[0] as String, $0[1] as String]
      }
    }
    #expect(tombstones == [["order-1", "too slow"]])
  }

  @Test func whatHasAReservationGetsNoTombstone() async throws {
    let fixture = try InventoryFixture()
    try await fixture.stock("keyboard", 5)
    let (served, refused) = (
      try OrderScript("order-1", [("keyboard", 4)]), try OrderScript("order-2", [("keyboard", 4)])
    )

    try await fixture.deliver(
      served.created(), refused.created(), served.cancelled(), refused.cancelled(), served.cancelled(version: 3))

    #expect(try await fixture.told().map(\.type) == [.inventoryReserved, .inventoryRejected, .inventoryReleased])
    #expect(try await tombstoneCount(fixture) == 0)
  }

  /// As it arrives where the version rule does not park the cancellation: its order was given up and discarded, or
  /// somebody else's producer numbers as it likes.
  @Test(.timeLimit(.minutes(1)))
  func aLateReserveIsRefusedAlsoBehindTheInbox() async throws {
    let fixture = try InventoryFixture()
    try await fixture.stock("keyboard", 10)
    let late = try OrderScript("order-1", [("keyboard", 4)])
    let other = try OrderScript("order-2", [("keyboard", 1)])
    let broker = fixture.broker

    try broker.produce([late.cancelled(version: 1), late.created(version: 2), other.created()])
    try await running(fixture.services) { () async throws in
      #expect(await broker.everyOrderEventIsConsumed(by: "inventory-service"))
      #expect(await broker.hasRecords(1, of: Topics.inventory))
    }

    #expect(broker.records(of: Topics.inventory).map(\.key) == [other.created().key])
    #expect(broker.records(of: "orders-dlq").isEmpty)
  }

  @Test func whatIsGivenBackIsWhatWasReservedAndNoMore() async throws {
    let fixture = try InventoryFixture()
    try await fixture.stock("keyboard", 10)
    try await fixture.stock("mouse", 10)
    try await fixture.deliver(try OrderScript("order-1", [("keyboard", 4), ("mouse", 1)]).created())
    try await fixture.deliver(try OrderScript("order-2", [("keyboard", 3)]).created())

    // The cancellation claims other items than the order had.
    try await fixture.deliver(try OrderScript("order-1", [("keyboard", 7), ("lamp", 1)]).cancelled())

    #expect(try await fixture.product("keyboard").reserved == 3)
    #expect(try await fixture.product("mouse").reserved == 0)
    #expect(try await fixture.productsOutOfBalance().isEmpty)
  }

  @Test func twoServicesOverOneStoreReserveAndReleaseOnce() async throws {
    let path = try temporaryFolder().appendingPathComponent("inventory.sqlite").path
    let services = [try InventoryFixture(databasePath: path), try InventoryFixture(databasePath: path)]
    try await services[0].stock("keyboard", 1_000)

    let orders = try (0..<40).map { try OrderScript("order-\($0)", [("keyboard", 3)]) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for order in orders {
        for service in services {
          group.addTask { try await service.deliver(order.created()) }
          group.addTask { try await service.deliver(order.cancelled()) }
          group.addTask { try await service.deliver(order.cancelled(version: 3)) }
        }
      }
      try await group.waitForAll()
    }

    for order in orders {
      let told = try await services[0].told(of: order.orderID).map(\.type)
      let reservation = try await services[1].reservation(order.orderID.rawValue)
      if reservation == nil {
        #expect(told.isEmpty)
      } else {
        #expect(reservation?.status == .released)
        #expect(told == [.inventoryReserved, .inventoryReleased])
      }
    }
    #expect(try await services[0].product("keyboard").reserved == 0)
    #expect(try await services[0].productsOutOfBalance().isEmpty)
    for service in services { try service.database.close() }
  }

  private func tombstoneCount(_ fixture: InventoryFixture) async throws -> Int? {
    try await fixture.database.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM reservation_tombstones") }
  }
}

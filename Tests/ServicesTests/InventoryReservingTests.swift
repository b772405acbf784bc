import EventSchema
import Testing
import WireFormat

@testable import Inventory

@Suite struct InventoryReservingTests {
  @Test func anOrderThatCanBeServedIsReservedAndTheWorldIsTold() async throws {
    let fixture = try InventoryFixture()
    try await fixture.stock("keyboard", 10)
    try await fixture.stock("mouse", 3)

    try await fixture.deliver(try OrderScript("order-1", [("mouse", 3), ("keyboard", 2)]).created())

    let reservation = try #require(try await fixture.reservation("order-1"))
    #expect(reservation.status == .reserved && reservation.reason == nil)
    #expect(reservation.items.map(\.productID.rawValue) == ["mouse", "keyboard"])
    #expect(try await fixture.product("keyboard").available == 8)
    #expect(try await fixture.product("mouse").available == 0)
    #expect(try await fixture.product("mouse").onHand == 3)
    let event = try #require(try await fixture.told().first)
    #expect(event.envelope.orderVersion == 1 && event.envelope.orderID.rawValue == "order-1")
    #expect(
      event.payload
        == .inventoryReserved(InventoryReserved(reservationID: reservation.id, items: reservation.items)))
  }

  @Test func anOrderGetsAllOfItsItemsOrNone() async throws {
    let fixture = try InventoryFixture()
    for product in ["a", "b", "c", "d"] { try await fixture.stock(product, 5) }

    try await fixture.deliver(try OrderScript("order-1", [("a", 5), ("b", 6), ("c", 5), ("d", 7)]).created())

    for product in ["a", "b", "c", "d"] { #expect(try await fixture.product(product).available == 5) }
    let reservation = try #require(try await fixture.reservation("order-1"))
    #expect(reservation.status == .rejected && reservation.reason == "OUT_OF_STOCK")
    #expect(reservation.items.count == 4)
    let shortages = [
      Shortage(productID: try productID("b"), requested: 6, available: 5),
      Shortage(productID: try productID("d"), requested: 7, available: 5),
    ]
    #expect(
      try await fixture.told().map(\.payload) == [
        .inventoryRejected(InventoryRejected(reason: .outOfStock, shortages: shortages))
      ])
  }

  @Test func oneUnknownProductMakesTheWholeRefusalUnknownProduct() async throws {
    let fixture = try InventoryFixture()
    try await fixture.stock("keyboard", 1)

    try await fixture.deliver(try OrderScript("order-1", [("keyboard", 2), ("nobody-has-this", 1)]).created())

    #expect(try await fixture.reservation("order-1")?.reason == "UNKNOWN_PRODUCT")
    let shortages = [
      Shortage(productID: try productID("keyboard"), requested: 2, available: 1),
      Shortage(productID: try productID("nobody-has-this"), requested: 1, available: 0),
    ]
    #expect(
      try await fixture.told().map(\.payload) == [
        .inventoryRejected(InventoryRejected(reason: .unknownProduct, shortages: shortages))
      ])
    #expect(try await fixture.product("keyboard").reserved == 0)
  }

  @Test func anOrderHasOneAnswerEvenWhenItIsAskedForTwice() async throws {
    let fixture = try InventoryFixture()
    try await fixture.stock("keyboard", 10)
    let order = try OrderScript("order-1", [("keyboard", 4)])
    try await fixture.deliver(order.created())
    let first = try await fixture.reservation("order-1")

    // Another event, as somebody else's producer could send it: the inbox does not know it.
    try await fixture.deliver(order.created(version: 2))
    try await fixture.deliver(try OrderScript("order-1", [("keyboard", 99)]).created(version: 3))

    #expect(try await fixture.reservation("order-1") == first)
    #expect(try await fixture.product("keyboard").reserved == 4)
    #expect(try await fixture.told().count == 1)
    #expect(try await fixture.productsOutOfBalance().isEmpty)
  }

  @Test func theLastPieceGoesToTheFirstOrder() async throws {
    let fixture = try InventoryFixture()
    try await fixture.stock("keyboard", 1)

    try await fixture.deliver(
      try OrderScript("order-1", [("keyboard", 1)]).created(), try OrderScript("order-2", [("keyboard", 1)]).created())

    #expect(try await fixture.reservation("order-1")?.status == .reserved)
    #expect(try await fixture.reservation("order-2")?.status == .rejected)
  }

  @Test func aCancelledOrderGivesBackWhatItHasOnce() async throws {
    let fixture = try InventoryFixture()
    try await fixture.stock("keyboard", 10)
    let order = try OrderScript("order-1", [("keyboard", 4)])
    try await fixture.deliver(order.created())

    try await fixture.deliver(order.cancelled("too slow", version: 3))
    let released = try #require(try await fixture.reservation("order-1"))
    try await fixture.deliver(order.cancelled("again", version: 4))

    #expect(released.status == .released && released.reason == "too slow")
    #expect(try await fixture.reservation("order-1") == released)
    #expect(try await fixture.product("keyboard").reserved == 0)
    let told = try await fixture.told()
    #expect(told.map(\.type) == [.inventoryReserved, .inventoryReleased])
    #expect(told.last?.envelope.orderVersion == 3)
    #expect(
      told.last?.payload
        == .inventoryReleased(
          InventoryReleased(reservationID: released.id, items: released.items, reason: "too slow")))
    #expect(try await fixture.productsOutOfBalance().isEmpty)
  }

  @Test func whatHasNothingReservedReleasesAndTellsNothing() async throws {
    let fixture = try InventoryFixture()
    try await fixture.stock("keyboard", 1)
    let rejected = try OrderScript("order-1", [("keyboard", 4)])
    try await fixture.deliver(rejected.created())
    let before = try await fixture.reservation("order-1")

    try await fixture.deliver(rejected.cancelled())
    try await fixture.deliver(try OrderScript("order-2", [("keyboard", 1)]).cancelled())

    #expect(try await fixture.reservation("order-1") == before)
    #expect(try await fixture.reservation("order-2") == nil)
    #expect(try await fixture.told().map(\.type) == [.inventoryRejected])
  }

  @Test func theOrdersOtherStepsAreWithoutEffect() async throws {
    let fixture = try InventoryFixture()
    try await fixture.stock("keyboard", 10)
    let order = try OrderScript("order-1", [("keyboard", 4)])

    try await fixture.deliver(order.created(), order.confirmed(), order.rejected())

    #expect(try await fixture.reservation("order-1")?.status == .reserved)
    #expect(try await fixture.told().count == 1)
  }

  @Test func aReservationIsReadByItsOrder() async throws {
    let fixture = try InventoryFixture()
    try await fixture.stock("keyboard", 10)
    try await fixture.deliver(try OrderScript("order-1", [("keyboard", 4)]).created())
    let stored = try #require(try await fixture.reservation("order-1"))

    let answer = try await fixture.http.get("/reservations/order-1")

    #expect(answer.status == 200)
    #expect(
      answer.text == """
        {"reservation_id":"\(stored.id)","order_id":"order-1","status":"RESERVED",\
        "items":[{"product_id":"keyboard","quantity":4}],"reason":null,\
        "created_at":"\(stored.createdAt.rfc3339)","updated_at":"\(stored.updatedAt.rfc3339)"}
        """)
  }
}

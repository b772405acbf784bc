import EventSchema
import GRDB
import Testing
import WireFormat

@testable import Inventory

@Suite struct InventoryListingTests {
  /// 30 orders: by threes RESERVED, REJECTED and RELEASED; even ones of `even` and `any`, odd ones of `odd` and `any`.
  private func stocked() async throws -> InventoryFixture {
    let fixture = try InventoryFixture()
    for product in ["even", "odd", "any"] { try await fixture.stock(product, 1_000) }
    for number in 0..<30 {
      let quantity = number % 3 == 1 ? 5_000 : 1
      let order = try OrderScript("order-\(number)", [("any", 1), (number % 2 == 0 ? "even" : "odd", quantity)])
      try await fixture.deliver(order.created())
      if number % 3 == 2 { try await fixture.deliver(order.cancelled()) }
    }
    return fixture
  }

  @Test(arguments: [1, 4, 30, 1000])
  func everyFilterListsNewestFirstInPagesOfAnySize(_ limit: Int) async throws {
    let fixture = try await stocked()
    let statuses = ["RESERVED", "REJECTED", "RELEASED"]

    for status in [nil] + statuses.map(Optional.some) {
      for product in [nil, "even", "odd", "any", "nobody"] {
        let query = [status.map { "status=\($0)" }, product.map { "product_id=\($0)" }].compactMap(\.self)
          .joined(separator: "&")
        let listed = try await fixture.http.all("/reservations?\(query)", "reservations", limit: limit)

        let expected = (0..<30).reversed().filter { number in
          (status == nil || status == statuses[number % 3])
            && (product == nil || product == "any" || product == (number % 2 == 0 ? "even" : "odd"))
        }
        #expect(listed.compactMap { $0["order_id"]?.string } == expected.map { "order-\($0)" }, "\(query)")
      }
    }
  }

  @Test func anOrdersReservationIsFoundWithWhateverElseIsAsked() async throws {
    let http = try await stocked().http
    func orders(_ query: String) async throws -> [String] {
      try await http.get("/reservations?order_id=order-4&\(query)").list("reservations")
        .compactMap { $0["order_id"]?.string }
    }

    #expect(try await orders("") == ["order-4"])
    #expect(try await orders("status=REJECTED&product_id=even") == ["order-4"])
    #expect(try await orders("status=RESERVED").isEmpty)
    #expect(try await orders("product_id=odd").isEmpty)
    #expect(try await http.get("/reservations?order_id=nobody").list("reservations").isEmpty)
  }

  @Test func pagesNeitherRepeatNorSkipWhileReservationsAreAdded() async throws {
    let fixture = try await stocked()

    let first = try await fixture.http.get("/reservations?product_id=any&limit=10")
    try await fixture.deliver(try OrderScript("order-new", [("any", 1)]).created())
    let cursor = try #require(first["next_cursor"]?.string)
    let rest = try await fixture.http.get("/reservations?product_id=any&limit=1000&cursor=\(cursor)")

    let listed = (first.list("reservations") + rest.list("reservations")).compactMap { $0["order_id"]?.string }
    #expect(listed == (0..<30).reversed().map { "order-\($0)" })
  }

  @Test(arguments: [
    "status=PENDING", "order_id=a%20b", "product_id=%C3%BC", "limit=0", "limit=1001", "cursor=abc", "cursor=%00",
    "cursor=cmVzZXJ2YXRpb25zH3g",
  ])
  func whatIsOutOfItsBoundsIs422(_ query: String) async throws {
    #expect(try await InventoryFixture().http.get("/reservations?\(query)").status == 422)
  }

  /// A page must cost what the page costs, with a million rows behind it: ranges of an index, read in order.
  @Test func noListScansATableOrSorts() async throws {
    let fixture = try InventoryFixture()
    let lists = [
      (ReservationStore.every, 2), (ReservationStore.ofStatus, 3), (ReservationStore.ofProduct, 3),
      (ReservationStore.ofProductAndStatus, 4), (ReservationStore.ofOrder, 2), (ProductStore.everyProduct.text, 2),
    ]

    for (sql, count) in lists {
      let plan = try await fixture.database.read { database in
        try Row.fetchAll(
          database, sql: "EXPLAIN QUERY PLAN " + sql, arguments: StatementArguments(Array(repeating: 1, count: count))
        ).map { $0["detail"] as String }
      }
      #expect(!plan.contains { $0.hasPrefix("SCAN") || $0.contains("TEMP B-TREE") }, "\(sql)\n\(plan)")
    }
  }
}

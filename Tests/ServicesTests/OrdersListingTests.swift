import EventSchema
import GRDB
import Testing
import WireFormat

@testable import Orders

@Suite struct OrdersListingTests {
  /// Twenty orders: customers a and b in turn, the statuses in turn. Oldest first.
  private func twentyOrders(in fixture: OrdersFixture) async throws -> [Order] {
    var orders: [Order] = []
    for number in 0..<20 {
      orders.append(try await place(number, in: fixture))
    }
    return orders
  }

  private func place(_ number: Int, in fixture: OrdersFixture) async throws -> Order {
    let order = try await fixture.place(customer: number.isMultiple(of: 2) ? "a" : "b")
    switch number / 2 % 4 {
    case 0: break
    case 1: try await fixture.deliver(try reserved(), about: order.id)
    case 2: try await fixture.deliver(rejected(), about: order.id)
    default: _ = try await fixture.http { try await $0.post("/orders/\(order.id)/cancel") }
    }
    return try await fixture.order(order.id)
  }

  @Test(arguments: [nil, "a", "b"], [nil] + OrderStatus.allCases.map(Optional.some))
  func pagesHaveExactlyTheMatchesNewestFirstWhileOthersAreAdded(customer: String?, status: OrderStatus?) async throws {
    let fixture = try OrdersFixture()
    let placed = try await twentyOrders(in: fixture)
    let expected = placed.reversed().filter { order in
      (customer == nil || order.customerID.rawValue == customer) && (status == nil || order.status == status)
    }.map(\.id.rawValue)
    var filters = customer.map { "&customer_id=\($0)" } ?? ""
    filters += status.map { "&status=\($0.rawValue)" } ?? ""

    var seen: [String] = []
    var path: String? = "/orders?limit=2\(filters)"
    while let page = path {
      let answer = try await fixture.http { try await $0.get(page) }
      #expect(answer.status == 200 && answer.orderIDs.count <= 2)
      seen += answer.orderIDs
      path = answer["next_cursor"]?.string.map { "/orders?limit=2\(filters)&cursor=\($0)" }
      // Others are placed meanwhile, of every customer and status.
      for number in 0..<8 { _ = try await place(number, in: fixture) }
    }

    #expect(seen == expected)
  }

  @Test func aPageThatJustFitsIsTheLast() async throws {
    let fixture = try OrdersFixture()
    for _ in 0..<4 { _ = try await fixture.place() }

    try await fixture.http { client in
      let exact = try await client.get("/orders?limit=4")
      #expect(exact.orderIDs.count == 4 && exact["next_cursor"]?.string == nil)
      let first = try await client.get("/orders?limit=3")
      let cursor = try #require(first["next_cursor"]?.string)
      let last = try await client.get("/orders?limit=3&cursor=\(cursor)")
      #expect(last.orderIDs.count == 1 && last["next_cursor"]?.string == nil)
    }
  }

  @Test func aPageHas50OrdersUnlessAskedOtherwise() async throws {
    let fixture = try OrdersFixture()
    for _ in 0..<51 { _ = try await fixture.place() }

    #expect(try await fixture.http { try await $0.get("/orders") }.orderIDs.count == 50)
    #expect(try await fixture.http { try await $0.get("/orders?limit=1000") }.orderIDs.count == 51)
  }

  @Test func cursorsAreURLSafe() async throws {
    let fixture = try OrdersFixture()
    for _ in 0..<2 { _ = try await fixture.place() }

    let cursor = try await fixture.http { try await $0.get("/orders?limit=1") }["next_cursor"]?.string

    #expect(
      try #require(cursor).utf8.allSatisfy { byte in
        UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte
          || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || "-._~".utf8.contains(byte)
      })
  }

  @Test func everyListIsARangeOfAnIndexAndSortsNothing() async throws {
    let fixture = try OrdersFixture()

    for sql in OrderStore.listings {
      let parameters = sql.contains("?1") ? 3 : sql.count { $0 == "?" }
      let plan = try await fixture.database.read { database in
        try Row.fetchAll(
          database, sql: "EXPLAIN QUERY PLAN \(sql)",
          arguments: StatementArguments(Array(repeating: 1, count: parameters))
        ).map { $0["detail"] as String }
      }
      #expect(!plan.contains { $0.contains("SCAN orders") || $0.contains("TEMP B-TREE") }, "\(plan)")
      #expect(plan.contains { $0.hasPrefix("SEARCH orders USING") }, "\(plan)")
      #expect(plan.allSatisfy { !$0.contains("_by_customer") || $0.contains("(customer_id=? AND rowid<?)") }, "\(plan)")
    }
  }
}

import EventSchema
import GRDB
import Testing
import WireFormat

@testable import Orders

@Suite struct OrdersPlacingTests {
  @Test func aPlacedOrderIsAnsweredWithItsPlaceAndItsWholeContent() async throws {
    let fixture = try OrdersFixture()

    let answer = try await fixture.http { client in
      try await client.post(
        "/orders",
        #"{"customer_id":"customer-42","items":[{"product_id":"keyboard","quantity":2,"unit_price":49.90}]}"#)
    }

    let id = try #require(answer["order_id"]?.string)
    let createdAt = try #require(answer["created_at"]?.string)
    #expect(answer.status == 201)
    #expect(answer.headers[.location] == "/orders/\(id)")
    #expect(answer.headers[.contentType]?.hasPrefix("application/json") == true)
    #expect(
      answer.text == #"{"order_id":"\#(id)","customer_id":"customer-42","#
        + #""items":[{"product_id":"keyboard","quantity":2,"unit_price":49.90}],"total":99.80,"status":"PENDING","#
        + #""version":1,"created_at":"\#(createdAt)","updated_at":"\#(createdAt)"}"#)
    #expect(try await fixture.http { try await $0.get("/orders/\(id)") }.text == answer.text)
  }

  @Test func orderIDsAreUUIDsOfVersionSevenThatAscend() async throws {
    let fixture = try OrdersFixture()

    let ids = try await fixture.http { client in
      var ids: [String] = []
      for _ in 0..<20 {
        let answer = try await client.post("/orders", validOrder())
        ids.append(answer["order_id"]?.string ?? "")
      }
      return ids
    }

    #expect(ids == ids.sorted() && Set(ids).count == 20)
    #expect(ids.allSatisfy { $0.count == 36 && Array($0)[14] == "7" })
  }

  @Test func theOrderAndItsEventAreBothThereOrNeither() async throws {
    let fixture = try OrdersFixture()
    _ = try await fixture.database.write { transaction in
      try transaction.database.execute(
        sql: """
          CREATE TRIGGER refuse BEFORE INSERT ON outbox_messages BEGIN SELECT RAISE(ABORT, 'no room for events'); END
          """)
    }

    await #expect(throws: DatabaseError.self) { try await fixture.place() }
    let orders = try await fixture.database.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM orders") }
    #expect(orders == 0)

    try await fixture.database.write { try $0.database.execute(sql: "DROP TRIGGER refuse") }
    let order = try await fixture.place()
    #expect(try await fixture.told().map(\.envelope.orderID) == [order.id])
  }

  @Test func ordersPlacedAtOnceAreAllThereEachWithItsEvent() async throws {
    let fixture = try OrdersFixture()

    let ids = try await withThrowingTaskGroup(of: OrderID.self) { group in
      for number in 0..<200 {
        group.addTask { try await fixture.place(customer: "customer-\(number)").id }
      }
      return try await group.reduce(into: Set()) { $0.insert($1) }
    }

    let events = try await fixture.told()
    #expect(ids.count == 200)
    #expect(Set(events.map(\.envelope.orderID)) == ids && events.count == 200)
    #expect(events.allSatisfy { $0.type == .orderCreated && $0.envelope.orderVersion == 1 })
  }

  @Test(arguments: [
    ("0.1", 3, "0.30"), ("0.7", 1, "0.70"), ("19.99", 10_000, "199900.00"), ("1000000", 10_000, "10000000000.00"),
    ("0", 7, "0.00"), ("49.900", 1, "49.90"), ("4.99e1", 2, "99.80"), ("1.10", 3, "3.30"),
  ])
  func moneyIsExact(price: String, quantity: Int, total: String) async throws {
    let fixture = try OrdersFixture()

    let answer = try await fixture.http { client in
      try await client.post(
        "/orders",
        """
        {"customer_id":"c","items":[{"product_id":"p","quantity":\(quantity),"unit_price":\(price)}],"total":\(total)}
        """)
    }

    #expect(answer.status == 201)
    #expect(answer["total"]?.number?.text == total)
    let stored = try await fixture.database.read { database in
      try String.fetchOne(database, sql: "SELECT typeof(total) FROM orders")
    }
    #expect(stored == "integer")
  }
}

func validOrder(customer: String = "ada", product: String = "keyboard") -> String {
  #"{"customer_id":"\#(customer)","items":[{"product_id":"\#(product)","quantity":2,"unit_price":49.90}]}"#
}

import Hummingbird
import HummingbirdTesting
import ServiceDefaults
import Testing
import WireFormat

@testable import Orders

/// `POST /orders` on its short way, which only a connection has: `http` goes through the router, `directly` does not.
@Suite struct OrdersDirectTests {
  @Test func anOrderIsAnsweredAlikeOnBothWays() async throws {
    let fixture = try OrdersFixture()

    let direct = try await fixture.directly { try await $0.post("/orders", validOrder()) }
    let usual = try await fixture.http { try await $0.post("/orders", validOrder()) }

    let id = try #require(direct["order_id"]?.string)
    #expect(direct.status == 201 && usual.status == 201)
    #expect(direct.headers[.location] == "/orders/\(id)")
    #expect(direct.headers[.contentType] == usual.headers[.contentType])
    #expect(direct.headers.map(\.name).filter { $0 != .date } == usual.headers.map(\.name))
    #expect(try await fixture.http { try await $0.get("/orders/\(id)") }.text == direct.text)
    #expect(try await fixture.told().map(\.envelope.orderID.rawValue).contains(id))
  }

  @Test func anOrderGoesOnWithTheTraceOfItsRequest() async throws {
    let fixture = try OrdersFixture()
    let trace = "0af7651916cd43dd8448eb211c80319c"

    _ = try await fixture.directly {
      try await $0.post("/orders", validOrder(), headers: [.init("traceparent")!: "00-\(trace)-b7ad6b7169203331-01"])
    }

    let sent = try await fixture.database.read { try String.fetchAll($0, sql: "SELECT headers FROM outbox") }
    #expect(sent.count == 1 && sent[0].contains(trace))
  }

  @Test(arguments: [
    "", "{", "[]", "{}", #"{"customer_id":"a b","items":[]}"#,
    #"{"customer_id":"a","items":[{"product_id":"p","quantity":0,"unit_price":1}]}"#,
    #"{"customer_id":"a","items":[{"product_id":"p","quantity":1,"unit_price":1}],"total":2}"#,
    validOrder() + String(repeating: " ", count: 64 << 10),
  ])
  func whatIsRefusedIsRefusedAlike(body: String) async throws {
    let fixture = try OrdersFixture()

    let live = try await fixture.live { try await $0.post("/orders", body) }
    let usual = try await fixture.http { try await $0.post("/orders", body) }

    #expect(live.status == usual.status && live.text == usual.text && live.status >= 400)
    #expect(try await fixture.told().isEmpty)
  }

  @Test func anOrderWithAKeyIsNotPlacedOnTheShortWay() async throws {
    let fixture = try OrdersFixture()

    #expect(try await fixture.directly { try await $0.place(validOrder(), key: "k") }.status == 404)
    let first = try await fixture.live { try await $0.place(validOrder(), key: "k") }
    let second = try await fixture.live { try await $0.place(validOrder(), key: "k") }

    #expect(first.status == 201 && second.text == first.text)
    #expect(try await fixture.told().count == 1)
  }

  @Test func aStoreThatTakesNothingAsksToComeBack() async throws {
    let fixture = try OrdersFixture()
    try fixture.database.close()

    let answer = try await fixture.directly { try await $0.post("/orders", validOrder()) }

    #expect(answer.status == 503 && answer.headers[.retryAfter] == "1")
    #expect(answer.headers[.contentType] == "application/problem+json")
  }

  @Test func aWriteThatFailsIsNoOrderAndNoDetail() async throws {
    let fixture = try OrdersFixture()
    try await fixture.database.write {
      try $0.database.execute(
        sql: """
          CREATE TRIGGER refuse BEFORE INSERT ON outbox_messages BEGIN SELECT RAISE(ABORT, 'no room for events'); END
          """)
    }

    let answer = try await fixture.directly { try await $0.post("/orders", validOrder()) }

    #expect(answer.status == 500 && !answer.text.contains("room"))
    #expect(try await fixture.http { try await $0.get("/orders") }.orderIDs.isEmpty)
  }

  @Test func manyAtOnceAreAllPlaced() async throws {
    let fixture = try OrdersFixture()

    let ids = try await fixture.listening { client in
      try await withThrowingTaskGroup(of: String?.self) { group in
        for number in 0..<300 {
          group.addTask {
            let order = validOrder(customer: "customer-\(number)")
            return try await client.send("POST", "/orders", body: Array(order.utf8)).json()["order_id"]?.string
          }
        }
        return try await group.reduce(into: Set()) { $0.insert($1) }
      }
    }

    #expect(ids.count == 300 && !ids.contains(nil))
    #expect(try await fixture.told().count == 300)
  }
}

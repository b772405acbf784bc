import EventSchema
import Testing
import WireFormat

@testable import Orders

@Suite struct OrdersCancellingTests {
  @Test func aPendingOrderIsCancelledAndSaysSo() async throws {
    let fixture = try OrdersFixture()
    let order = try await fixture.place()

    let answer = try await fixture.http { try await $0.post("/orders/\(order.id)/cancel", #"{"reason":"too slow"}"#) }

    #expect(answer.status == 200)
    #expect(answer["status"]?.string == "CANCELLED")
    #expect(answer["version"]?.number?.int64 == 2)
    #expect(answer["reason"]?.string == "too slow")
    let told = try await fixture.told()
    #expect(told.map(\.type) == [.orderCreated, .orderCancelled])
    #expect(told.map(\.envelope.orderVersion) == [1, 2])
    #expect(
      told.last?.payload
        == .orderCancelled(
          OrderCancelled(customerID: order.customerID, items: order.items, total: order.total, reason: "too slow")))
  }

  @Test func aConfirmedOrderIsCancelledAtTheNextVersion() async throws {
    let fixture = try OrdersFixture()
    let order = try await fixture.place()
    try await fixture.deliver(try reserved(), about: order.id)

    let answer = try await fixture.http { try await $0.post("/orders/\(order.id)/cancel") }

    #expect(answer.status == 200)
    #expect(answer["version"]?.number?.int64 == 3)
    #expect(try await fixture.told().map(\.type) == [.orderCreated, .orderConfirmed, .orderCancelled])
  }

  @Test func aRejectedOrderCannotBeCancelled() async throws {
    let fixture = try OrdersFixture()
    let order = try await fixture.place()
    try await fixture.deliver(rejected(), about: order.id)

    let answer = try await fixture.http { try await $0.post("/orders/\(order.id)/cancel") }

    #expect(answer.status == 409)
    #expect(answer.headers[.contentType] == "application/problem+json")
    #expect(try await fixture.order(order.id).status == .rejected)
    #expect(try await fixture.told().count == 2)
  }

  @Test func cancellingTwiceIsTheSameAnswerAndOneEvent() async throws {
    let fixture = try OrdersFixture()
    let order = try await fixture.place()

    let answers = try await fixture.http { client in
      [
        try await client.post("/orders/\(order.id)/cancel", #"{"reason":"first"}"#),
        try await client.post("/orders/\(order.id)/cancel", #"{"reason":"second"}"#),
      ]
    }

    #expect(answers.map(\.status) == [200, 200])
    #expect(answers[0].text == answers[1].text)
    #expect(try await fixture.told().map(\.type) == [.orderCreated, .orderCancelled])
  }

  @Test(arguments: [nil, "{}", #"{"reason":null}"#, #"{"reason":""}"#, #"{"why":"x"}"#])
  func withoutAReasonItIsTheCustomers(_ body: String?) async throws {
    let fixture = try OrdersFixture()
    let order = try await fixture.place()

    let answer = try await fixture.http { try await $0.post("/orders/\(order.id)/cancel", body) }

    #expect(answer.status == 200)
    #expect(answer["reason"]?.string == "cancelled by the customer")
  }

  @Test func aReasonHasUpTo500CharactersOfAnyScript() async throws {
    let fixture = try OrdersFixture()

    for letter in ["x", "ü", "漢", "🐝"] {
      let longest = String(repeating: letter, count: 500)
      let order = try await fixture.place()
      try await fixture.http { client in
        let tooLong = try await client.post("/orders/\(order.id)/cancel", #"{"reason":"\#(longest + letter)"}"#)
        #expect(tooLong.status == 422 && tooLong.pointers == ["/reason"])
        let answer = try await client.post("/orders/\(order.id)/cancel", #"{"reason":"\#(longest)"}"#)
        #expect(answer.status == 200 && answer["reason"]?.string == longest)
      }
      #expect(try await fixture.told().last?.envelope.orderID == order.id)
    }
  }

  @Test(arguments: [#""a\u0000b""#, #""a\nb""#, #""\u001f""#, #""\u007f""#, #""\u0085""#, "7", "[]", "true"])
  func aReasonWithControlCharactersOrNoStringIsRefused(_ reason: String) async throws {
    let fixture = try OrdersFixture()
    let order = try await fixture.place()

    let answer = try await fixture.http { try await $0.post("/orders/\(order.id)/cancel", #"{"reason":\#(reason)}"#) }

    #expect(answer.status == 422)
    #expect(answer.pointers == ["/reason"])
    #expect(try await fixture.order(order.id).status == .pending)
  }

  @Test func manyWhoCancelAtOnceCancelOnce() async throws {
    let fixture = try OrdersFixture()
    let order = try await fixture.place()
    let cancelOrder = CancelOrder(database: fixture.database, orders: fixture.store, now: { Timestamp.now() })

    let answers = try await withThrowingTaskGroup(of: Order.self) { group in
      for number in 0..<50 { group.addTask { try await cancelOrder(order.id, reason: "number \(number)") } }
      return try await group.reduce(into: Set()) { $0.insert($1) }
    }

    #expect(answers.count == 1)
    #expect(try await fixture.told().map(\.type) == [.orderCreated, .orderCancelled])
  }
}

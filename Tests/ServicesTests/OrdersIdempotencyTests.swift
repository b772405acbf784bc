import EventSchema
import GRDB
import HTTPTypes
import Logging
import Messaging
import MessagingSQLite
import TestSupport
import Testing
import WireFormat

@testable import Orders

@Suite struct OrdersIdempotencyTests {
  @Test func aRepeatedRequestGetsTheFirstAnswerByteForByte() async throws {
    let fixture = try OrdersFixture()
    let first = try await fixture.http { try await $0.place(validOrder(), key: "attempt-1") }
    let orderID = try #require(first["order_id"]?.string.flatMap { OrderID($0) })
    // The order goes on meanwhile; what it was answered with stays.
    try await fixture.deliver(try reserved(), about: orderID)

    let second = try await fixture.http { try await $0.place(validOrder(), key: "attempt-1") }

    #expect(first.status == 201 && first.headers[.idempotencyReplayed] == nil)
    #expect(second.status == 201 && second.headers[.idempotencyReplayed] == "true")
    #expect(second.headers[.location] == "/orders/\(orderID)")
    #expect(second.headers[.contentType] == first.headers[.contentType])
    #expect(second.body == first.body)
    #expect(try await fixture.told().map(\.type) == [.orderCreated, .orderConfirmed])
  }

  @Test(arguments: [
    #"{"customer_id":"ada","items":[{"product_id":"keyboard","quantity":2,"unit_price":49.9}]}"#,
    #"{"customer_id":"ada","items":[{"product_id":"keyboard","quantity":2,"unit_price":4.990e1}]}"#,
    #"{"customer_id":"ada","items":[{"product_id":"keyboard","quantity":2,"unit_price":49.90}],"total":99.8}"#,
    #" { "items" : [ {"unit_price":49.90, "colour":"red", "quantity":2,"product_id":"keyboard"} ], "customer_id":"ada" }"#,
    #"{"customer_id":"\u0061da","coupon":null,"items":[{"product_id":"keyboard","quantity":2,"unit_price":49.90}]}"#,
  ])
  func theSameOrderAsDecodedIsTheSameOrder(_ body: String) async throws {
    let fixture = try OrdersFixture()

    let answers = try await fixture.http { client in
      [try await client.place(validOrder(), key: "k"), try await client.place(body, key: "k")]
    }

    #expect(answers[1].headers[.idempotencyReplayed] == "true")
    #expect(answers[1].body == answers[0].body)
    #expect(try await fixture.told().count == 1)
  }

  @Test(arguments: [
    #"{"customer_id":"bob","items":[{"product_id":"a","quantity":1,"unit_price":1},{"product_id":"b","quantity":1,"unit_price":1}]}"#,
    #"{"customer_id":"ada","items":[{"product_id":"a","quantity":2,"unit_price":1},{"product_id":"b","quantity":1,"unit_price":1}]}"#,
    #"{"customer_id":"ada","items":[{"product_id":"a","quantity":1,"unit_price":1.01},{"product_id":"b","quantity":1,"unit_price":1}]}"#,
    #"{"customer_id":"ada","items":[{"product_id":"a","quantity":1,"unit_price":1}]}"#,
    // An order keeps and shows its items in the order in which they were asked for.
    #"{"customer_id":"ada","items":[{"product_id":"b","quantity":1,"unit_price":1},{"product_id":"a","quantity":1,"unit_price":1}]}"#,
  ])
  func anotherOrderUnderTheSameKeyIsRefusedAndNothingIsWritten(_ other: String) async throws {
    let fixture = try OrdersFixture()
    let order =
      #"{"customer_id":"ada","items":[{"product_id":"a","quantity":1,"unit_price":1},{"product_id":"b","quantity":1,"unit_price":1}]}"#

    let answers = try await fixture.http { client in
      [
        try await client.place(order, key: "k"), try await client.place(other, key: "k"),
        try await client.place(order, key: "k"),
      ]
    }

    #expect(answers.map(\.status) == [201, 422, 201])
    #expect(answers[1].headers[.contentType] == "application/problem+json")
    #expect(answers[1].pointers == ["/Idempotency-Key"])
    #expect(answers[2].body == answers[0].body)
    #expect(try await fixture.told().count == 1)
  }

  @Test func aKeyHasUpTo255VisibleCharacters() async throws {
    let fixture = try OrdersFixture()
    let longest = String(repeating: "k", count: 255)

    try await fixture.http { client in
      for key in ["k", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", longest] {
        #expect(try await client.place(validOrder(), key: key).status == 201, "\(key)")
      }
      for key in ["", longest + "k", "a b", "a\tb", "schlüssel", "ключ", "🔑"] {
        let answer = try await client.place(validOrder(), key: key)
        #expect(answer.status == 422 && answer.pointers == ["/Idempotency-Key"], "\(key)")
      }
      var two = HTTPFields()
      two.append(HTTPField(name: .idempotencyKey, value: "a"))
      two.append(HTTPField(name: .idempotencyKey, value: "b"))
      #expect(try await client.post("/orders", validOrder(), headers: two).status == 422)
    }

    #expect(try await fixture.told().count == 3)
  }

  @Test func onlyAnOrderThatWasPlacedTakesItsKey() async throws {
    let fixture = try OrdersFixture()
    let refusal = """
      CREATE TRIGGER refuse BEFORE INSERT ON outbox_messages BEGIN SELECT RAISE(ABORT, 'no room for events'); END
      """

    try await fixture.http { client in
      for body in ["no json", "{}", #"{"customer_id":"ada","items":[]}"#] {
        #expect(try await client.place(body, key: "k").status >= 400)
      }
      try await fixture.database.write { try $0.database.execute(sql: refusal) }
      #expect(try await client.place(validOrder(), key: "k").status >= 500)
      try await fixture.database.write { try $0.database.execute(sql: "DROP TRIGGER refuse") }

      let placed = try await client.place(validOrder(), key: "k")

      #expect(placed.status == 201 && placed.headers[.idempotencyReplayed] == nil)
      #expect(try await client.place(validOrder(), key: "k").body == placed.body)
    }
    #expect(try await fixture.told().count == 1)
  }

  @Test func anOrderWithoutAKeyIsANewOneEachTimeAndKeepsNoAnswer() async throws {
    let fixture = try OrdersFixture()

    let answers = try await fixture.http { client in
      [try await client.post("/orders", validOrder()), try await client.post("/orders", validOrder())]
    }

    #expect(answers[0].body != answers[1].body)
    #expect(try await keyCount(fixture) == 0)
  }

  @Test func theSameKeyOfAnotherRequesterIsAnotherKey() async throws {
    let fixture = try OrdersFixture()
    let placeOrderOnce = fixture.placeOrderOnce { Timestamp.now() }

    let ada = try await placeOrderOnce(try draft(), key: try key("k", of: "ada"), answering: \.jsonBytes)
    let bob = try await placeOrderOnce(try draft(), key: try key("k", of: "bob"), answering: \.jsonBytes)
    let again = try await placeOrderOnce(try draft(), key: try key("k", of: "ada"), answering: \.jsonBytes)

    #expect(!ada.isRepeated && !bob.isRepeated && again.isRepeated)
    #expect(again.answer == ada.answer && bob.answer.orderID != ada.answer.orderID)
  }

  @Test func aKeyStandsForItsOrderFor24HoursAndIsFreeAfterwards() async throws {
    let fixture = try OrdersFixture()
    let clock = ManualClock()
    let placeOrderOnce = fixture.placeOrderOnce(now: clock.clocks.wall)
    let cleaner = fixture.cleaner(now: clock.clocks.wall)
    let key = try key("k")
    let first = try await placeOrderOnce(try draft(), key: key, answering: \.jsonBytes)

    clock.advance(by: .seconds(24 * 3600) - .milliseconds(1))
    #expect(try await cleaner.clean() == 0)
    #expect(try await placeOrderOnce(try draft(), key: key, answering: \.jsonBytes).answer == first.answer)
    clock.advance(by: .milliseconds(1))
    // Not purged yet, and free all the same; also for another order.
    let next = try await placeOrderOnce(try draft(customer: "bob"), key: key, answering: \.jsonBytes)
    #expect(!next.isRepeated)
    #expect(try await placeOrderOnce(try draft(customer: "bob"), key: key, answering: \.jsonBytes).isRepeated)

    clock.advance(by: .seconds(24 * 3600))
    #expect(try await cleaner.clean() == 1)
    #expect(try await keyCount(fixture) == 0)
    #expect(try await fixture.told().count == 2)
  }

  @Test func outlivedKeysAreDeletedInSmallTransactionsWhileOrdersFlow() async throws {
    let fixture = try OrdersFixture()
    let clock = ManualClock()
    let (old, young) = (clock.clocks.wall(), clock.clocks.wall() + .seconds(3600))
    try await fixture.database.write { transaction in
      for number in 0..<20_000 {
        let createdAt = number < 19_000 ? old : young
        try transaction.database.cachedStatement(
          sql: "INSERT INTO idempotency_keys VALUES ('anonymous', ?, ?, ?, x'7b7d')"
        ).execute(arguments: ["key-\(number)", "order-\(number)", createdAt.millisecondsSinceEpoch])
      }
    }
    clock.advance(by: .seconds(24 * 3600))
    let before = fixture.database.statistics.writes
    let cleaner = fixture.cleaner(now: clock.clocks.wall)

    async let deleted = cleaner.clean()
    let placeOrderOnce = fixture.placeOrderOnce(now: clock.clocks.wall)
    for number in 0..<20 {
      let outcome = try await placeOrderOnce(try draft(), key: try key("new-\(number)"), answering: \.jsonBytes)
      #expect(!outcome.isRepeated)
    }

    #expect(try await deleted == 19_000)
    #expect(try await keyCount(fixture) == 1_020)
    #expect(fixture.database.statistics.writes - before == 19_000 / IdempotencyKeyCleaner.batch + 1 + 20)
  }

  @Test func fiftyRequestsAtOnceWithOneKeyMakeOneOrder() async throws {
    let fixture = try OrdersFixture()

    let answers = try await fixture.http { client in
      try await withThrowingTaskGroup(of: OrdersAnswer.self) { group in
        for _ in 0..<50 { group.addTask { try await client.place(validOrder(), key: "k") } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
    }

    #expect(answers.allSatisfy { $0.status == 201 })
    #expect(Set(answers.map(\.text)).count == 1)
    #expect(answers.count { $0.headers[.idempotencyReplayed] == nil } == 1)
    #expect(try await fixture.told().count == 1)
  }

  @Test func twoServicesOverOneStoreMakeOneOrderForAKeyWhoeverIsFirst() async throws {
    let path = try temporaryFolder().appendingPathComponent("orders.sqlite").path
    let services = [try OrdersFixture(databasePath: path), try OrdersFixture(databasePath: path)]

    for number in 0..<20 {
      let answers = try await withThrowingTaskGroup(of: OrdersAnswer.self) { group in
        for attempt in 0..<10 {
          group.addTask {
            // Every third attempt asks for something else.
            let body = validOrder(customer: attempt % 3 == 2 ? "bob" : "ada")
            return try await services[attempt % 2].http { try await $0.place(body, key: "key-\(number)") }
          }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }

      let taken = answers.filter { $0.status == 201 }
      #expect(Set(taken.map(\.text)).count == 1)
      #expect(taken.count { $0.headers[.idempotencyReplayed] == nil } == 1)
      #expect(answers.count { $0.status == 422 } == 10 - taken.count)
      #expect(try await services[0].told().count == number + 1)
    }
    for service in services { try service.database.close() }
  }

  private func keyCount(_ fixture: OrdersFixture) async throws -> Int? {
    try await fixture.database.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM idempotency_keys") }
  }

  private func key(_ text: String, of requester: String = "anonymous") throws -> IdempotencyKey {
    try #require(IdempotencyKey(text, of: requester))
  }

  private func draft(customer: String = "ada") throws -> OrderDraft {
    try OrderDraft(customerID: try #require(CustomerID(customer)), items: [try item("keyboard", 2, 4990)])
  }
}

extension OrdersFixture {
  fileprivate func placeOrderOnce(now: @escaping @Sendable () -> Timestamp) -> PlaceOrderOnce {
    PlaceOrderOnce(
      database: database, orders: store, keys: IdempotencyKeyStore(), ids: UUIDv7Generator(), now: now)
  }

  fileprivate func cleaner(now: @escaping @Sendable () -> Timestamp) -> IdempotencyKeyCleaner {
    IdempotencyKeyCleaner(
      database: database, keys: IdempotencyKeyStore(), now: now,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  }
}

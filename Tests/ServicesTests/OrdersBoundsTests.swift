import Testing

/// Every bound of the contract's table, from both sides.
@Suite struct OrdersBoundsTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let what: String
    let body: String
    /// Nil: accepted. Else where the problem points to.
    let pointer: String?

    var testDescription: String { what }
  }

  @Test(arguments: accepted + refused)
  func bodiesAreTakenWithinTheBoundsAndRefusedWithThePointerBeyond(_ testCase: Case) async throws {
    let fixture = try OrdersFixture()

    let answer = try await fixture.http { try await $0.post("/orders", testCase.body) }

    let orders = try await fixture.http { try await $0.get("/orders") }.orderIDs
    if let pointer = testCase.pointer {
      #expect(answer.status == 422)
      #expect(answer.pointers == [pointer])
      #expect(answer.headers[.contentType] == "application/problem+json")
      #expect(orders.isEmpty)
    } else {
      #expect(answer.status == 201, "\(answer.text)")
      #expect(orders.count == 1)
    }
  }

  @Test func everyFieldOutOfItsBoundsIsNamedAtOnce() async throws {
    let fixture = try OrdersFixture()
    let body = """
      {"customer_id":"","items":[{"product_id":"a","quantity":1,"unit_price":1},
       {"product_id":"b c","quantity":0,"unit_price":1.001}],"total":-1}
      """

    let answer = try await fixture.http { try await $0.post("/orders", body) }

    #expect(answer.status == 422)
    #expect(
      Set(answer.pointers) == [
        "/customer_id", "/items/1/product_id", "/items/1/quantity", "/items/1/unit_price", "/total",
      ])
  }

  @Test(arguments: ["", "{", "[1,]", "nonsense", #"{"a":1}{"#, "\u{FEFF}{}"])
  func whatIsNotJSONIs400(_ body: String) async throws {
    let fixture = try OrdersFixture()

    #expect(try await fixture.http { try await $0.post("/orders", body) }.status == 400)
  }

  @Test func theBodysSizeAndTypeAreChecked() async throws {
    let fixture = try OrdersFixture()
    let padding = String(repeating: " ", count: 64 * 1024)

    try await fixture.http { client in
      #expect(try await client.post("/orders", validOrder() + padding).status == 413)
      let fits = validOrder() + padding.dropLast(validOrder().utf8.count)
      #expect(try await client.post("/orders", fits).status == 201)
      let text = try await client.send(.post, "/orders", body: Array(validOrder().utf8), contentType: "text/plain")
      #expect(text.status == 415)
    }
  }

  @Test func unknownPlacesAndMethodsAreProblems() async throws {
    let fixture = try OrdersFixture()

    let longID = String(repeating: "x", count: 65)
    let missing = [
      "/orders/nobody", "/orders/nobody?wait=1", "/orders/nobody/timeline", "/orders/\(longID)", "/order", "/",
    ]

    try await fixture.http { client in
      for path in missing {
        let answer = try await client.get(path)
        #expect(answer.status == 404 && answer.headers[.contentType] == "application/problem+json", "\(path)")
      }
      let cancelled = try await client.post("/orders/nobody/cancel")
      #expect(cancelled.status == 404)
      let deleted = try await client.send(.delete, "/orders", body: nil, contentType: nil)
      #expect(deleted.status == 405)
    }
  }

  @Test(arguments: [
    "wait=61", "wait=-1", "wait=1.5", "wait=x", "wait=99999999999999999999", "wait=1&until=confirmed",
  ])
  func waitsAndTheirEndsAreChecked(_ query: String) async throws {
    let fixture = try OrdersFixture()
    let order = try await fixture.place()

    #expect(try await fixture.http { try await $0.get("/orders/\(order.id)?\(query)") }.status == 422)
    #expect(try await fixture.http { try await $0.get("/orders/\(order.id)?wait=0&until=settled") }.status == 200)
  }

  @Test(arguments: [
    "limit=0", "limit=1001", "limit=x", "limit=-1", "status=DONE", "status=pending", "customer_id=a%20b",
    "cursor=nonsense", "cursor=%00",
  ])
  func listQueriesAreChecked(_ query: String) async throws {
    let fixture = try OrdersFixture()

    #expect(try await fixture.http { try await $0.get("/orders?\(query)") }.status == 422)
    for fine in ["limit=1", "limit=1000", "status=PENDING", "customer_id=a.b_c-D", "status=CANCELLED&customer_id=x"] {
      #expect(try await fixture.http { try await $0.get("/orders?\(fine)") }.status == 200)
    }
  }
}

extension OrdersBoundsTests {
  private static func order(
    customer: String = #""ada""#, product: String = #""keyboard""#, quantity: String = "2", price: String = "49.90",
    more: String = ""
  ) -> String {
    """
    {"customer_id":\(customer),"items":[{"product_id":\(product),"quantity":\(quantity),"unit_price":\(price)}]\(more)}
    """
  }

  private static func items(_ count: Int) -> String {
    let items = (0..<count).map { #"{"product_id":"p\#($0)","quantity":1,"unit_price":1}"# }
    return #"{"customer_id":"ada","items":[\#(items.joined(separator: ","))]}"#
  }

  private static let id64 = "\"\(String(repeating: "x", count: 64))\""
  private static let id65 = "\"\(String(repeating: "x", count: 65))\""

  static let accepted: [Case] = [
    ("shortest customer id", order(customer: #""c""#)),
    ("longest customer id", order(customer: id64)),
    ("every character of an id", order(customer: #""AZaz09._-""#)),
    ("an escaped id", order(customer: #""\u0061da""#)),
    ("shortest product id", order(product: #""p""#)),
    ("longest product id", order(product: id64)),
    ("one item", items(1)),
    ("100 items", items(100)),
    ("quantity 1", order(quantity: "1")),
    ("quantity 10000", order(quantity: "10000")),
    ("price 0", order(price: "0")),
    ("price 0.01", order(price: "0.01")),
    ("price 1000000", order(price: "1000000")),
    ("price 1000000.00", order(price: "1000000.00")),
    ("price with zeros behind two decimals", order(price: "49.900")),
    ("price in exponent form", order(price: "4.99e1")),
    ("the right total", order(more: #","total":99.8"#)),
    ("no total stated", order(more: #","total":null"#)),
    ("unknown fields", order(more: #","coupon":{"code":["x"]}"#)),
  ].map { Case(what: $0.0, body: $0.1, pointer: nil) }

  static let refused: [Case] =
    [
      ("no customer", #"{"items":[{"product_id":"p","quantity":1,"unit_price":1}]}"#, "/customer_id"),
      ("customer null", order(customer: "null"), "/customer_id"),
      ("customer a number", order(customer: "42"), "/customer_id"),
      ("empty customer id", order(customer: #""""#), "/customer_id"),
      ("customer id of 65", order(customer: id65), "/customer_id"),
      ("customer id with a space", order(customer: #""a b""#), "/customer_id"),
      ("customer id with an umlaut", order(customer: #""ä""#), "/customer_id"),
      ("customer id with a NUL", order(customer: #""a\u0000""#), "/customer_id"),
      ("no items", #"{"customer_id":"ada"}"#, "/items"),
      ("items null", #"{"customer_id":"ada","items":null}"#, "/items"),
      ("items an object", #"{"customer_id":"ada","items":{}}"#, "/items"),
      ("empty items", items(0), "/items"),
      ("101 items", items(101), "/items"),
      ("an item that is a number", #"{"customer_id":"ada","items":[1]}"#, "/items/0"),
      (
        "no product", #"{"customer_id":"ada","items":[{"quantity":1,"unit_price":1}]}"#, "/items/0/product_id"
      ),
      ("empty product id", order(product: #""""#), "/items/0/product_id"),
      ("product id of 65", order(product: id65), "/items/0/product_id"),
      ("product id with a slash", order(product: #""a/b""#), "/items/0/product_id"),
      (
        "a product twice",
        #"{"customer_id":"ada","items":[{"product_id":"p","quantity":1,"unit_price":1},"#
          + #"{"product_id":"p","quantity":1,"unit_price":1}]}"#,
        "/items/1/product_id"
      ),
      ("quantity 0", order(quantity: "0"), "/items/0/quantity"),
      ("quantity 10001", order(quantity: "10001"), "/items/0/quantity"),
      ("negative quantity", order(quantity: "-1"), "/items/0/quantity"),
      ("half a quantity", order(quantity: "1.5"), "/items/0/quantity"),
      ("quantity in quotes", order(quantity: #""2""#), "/items/0/quantity"),
      ("quantity null", order(quantity: "null"), "/items/0/quantity"),
      ("quantity beyond every number", order(quantity: "1e99999999"), "/items/0/quantity"),
      ("negative price", order(price: "-0.01"), "/items/0/unit_price"),
      ("price above the bound", order(price: "1000000.01"), "/items/0/unit_price"),
      ("price with three decimals", order(price: "49.901"), "/items/0/unit_price"),
      ("price in quotes", order(price: #""49.90""#), "/items/0/unit_price"),
      ("price true", order(price: "true"), "/items/0/unit_price"),
      ("price beyond every number", order(price: "1e400"), "/items/0/unit_price"),
      ("a total that differs by a cent", order(more: #","total":99.81"#), "/total"),
      ("a total with three decimals", order(more: #","total":99.801"#), "/total"),
      ("a negative total", order(more: #","total":-99.80"#), "/total"),
      ("a total in quotes", order(more: #","total":"99.80""#), "/total"),
    ].map { Case(what: $0.0, body: $0.1, pointer: $0.2) }
}

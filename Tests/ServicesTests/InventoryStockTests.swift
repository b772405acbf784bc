import EventSchema
import GRDB
import Testing
import WireFormat

@testable import Inventory

@Suite struct InventoryStockTests {
  @Test func aNewProductIsCreatedAndAKnownOneIsCountedAnew() async throws {
    let fixture = try InventoryFixture()

    let created = try await fixture.http.put("/products/keyboard", #"{"name":"Keyboard","on_hand":100}"#)
    let counted = try await fixture.http.put("/products/keyboard", #"{"name":"Keyboard Pro","on_hand":7}"#)
    let read = try await fixture.http.get("/products/keyboard")

    #expect(created.status == 201)
    #expect(created.headers[.location] == "/products/keyboard")
    #expect(
      created.text
        == #"{"product_id":"keyboard","name":"Keyboard","on_hand":100,"reserved":0,"available":100}"#)
    #expect(counted.status == 200)
    #expect(counted.headers[.location] == nil)
    #expect(
      read.text == #"{"product_id":"keyboard","name":"Keyboard Pro","on_hand":7,"reserved":0,"available":7}"#)
  }

  @Test func theStockCannotFallBelowWhatIsReserved() async throws {
    let fixture = try InventoryFixture()
    try await fixture.stock("keyboard", 10)
    try await fixture.deliver(try OrderScript("order-1", [("keyboard", 4)]).created())

    let below = try await fixture.http.put("/products/keyboard", #"{"name":"Other","on_hand":3}"#)
    let exactly = try await fixture.http.put("/products/keyboard", #"{"name":"Keyboard","on_hand":4}"#)

    #expect(below.status == 409)
    #expect(below.headers[.contentType] == "application/problem+json")
    #expect(exactly.status == 200)
    #expect(exactly["available"]?.number?.int64 == 0)
    #expect(try await fixture.product("keyboard").name == "Keyboard")
  }

  @Test func aDeliveryAddsToTheStock() async throws {
    let fixture = try InventoryFixture()
    try await fixture.stock("keyboard", 10)
    try await fixture.deliver(try OrderScript("order-1", [("keyboard", 4)]).created())

    let restocked = try await fixture.http.post("/products/keyboard/restock", #"{"quantity":5}"#)

    #expect(restocked.status == 200)
    let product = try await fixture.product("keyboard")
    #expect((product.onHand, product.reserved, product.available) == (15, 4, 11))
  }

  @Test func unknownProductsAndReservationsAre404() async throws {
    let http = try InventoryFixture().http

    #expect(try await http.get("/products/nobody").status == 404)
    #expect(try await http.get("/products/no%20id").status == 404)
    #expect(try await http.post("/products/nobody/restock", #"{"quantity":1}"#).status == 404)
    #expect(try await http.get("/reservations/nobody").status == 404)
    #expect(try await http.send(.delete, "/products/nobody").status == 405)
  }

  @Test(arguments: [
    (#"{"name":"A","on_hand":0}"#, nil),
    (#"{"name":"A","on_hand":1e2}"#, nil),
    (#"{"name":"A","on_hand":1000000000000,"colour":"red"}"#, nil),
    (#"{"name":"A","on_hand":1000000000001}"#, "/on_hand"),
    (#"{"name":"A","on_hand":-1}"#, "/on_hand"),
    (#"{"name":"A","on_hand":1.5}"#, "/on_hand"),
    (#"{"name":"A","on_hand":"5"}"#, "/on_hand"),
    (#"{"name":"A","on_hand":99999999999999999999}"#, "/on_hand"),
    (#"{"name":"A"}"#, "/on_hand"),
    (#"{"name":"","on_hand":1}"#, "/name"),
    (#"{"name":"A\u0007","on_hand":1}"#, "/name"),
    (#"{"name":7,"on_hand":1}"#, "/name"),
    (#"{"on_hand":1}"#, "/name"),
  ])
  func aStockIsTakenWithinItsBoundsAndRefusedBeyond(_ body: String, _ pointer: String?) async throws {
    let http = try InventoryFixture().http

    let answer = try await http.put("/products/keyboard", body)

    #expect(answer.status == (pointer == nil ? 201 : 422), "\(answer.text)")
    #expect(answer.pointers == (pointer.map { [$0] } ?? []))
  }

  @Test func aNameHas1To200Characters() async throws {
    let http = try InventoryFixture().http
    func body(_ length: Int) -> String { #"{"name":"\#(String(repeating: "ü", count: length))","on_hand":1}"# }

    #expect(try await http.put("/products/keyboard", body(200)).status == 201)
    #expect(try await http.put("/products/keyboard", body(201)).status == 422)
  }

  @Test func aProductIDHasTheBoundsOfEveryID() async throws {
    let http = try InventoryFixture().http
    let body = #"{"name":"A","on_hand":1}"#

    #expect(try await http.put("/products/A-Z.a_z-09", body).status == 201)
    #expect(try await http.put("/products/" + String(repeating: "a", count: 64), body).status == 201)
    #expect(try await http.put("/products/" + String(repeating: "a", count: 65), body).status == 422)
    #expect(try await http.put("/products/a%20b", body).status == 422)
    #expect(try await http.put("/products/%C3%BC", body).status == 422)
  }

  @Test(arguments: [("1", 200), ("10000", 200), ("0", 422), ("-1", 422), ("10001", 422), ("1.5", 422), ("null", 422)])
  func aDeliveryHas1To10000Pieces(_ quantity: String, _ status: Int) async throws {
    let fixture = try InventoryFixture()
    try await fixture.stock("keyboard", 1)

    let answer = try await fixture.http.post("/products/keyboard/restock", #"{"quantity":\#(quantity)}"#)

    #expect(answer.status == status)
    #expect(answer.pointers == (status == 422 ? ["/quantity"] : []))
  }

  @Test func aDeliveryCannotRaiseTheStockBeyondItsBound() async throws {
    let fixture = try InventoryFixture()
    try await fixture.stock("keyboard", 999_999_999_999)

    #expect(try await fixture.http.post("/products/keyboard/restock", #"{"quantity":2}"#).status == 422)
    #expect(try await fixture.http.post("/products/keyboard/restock", #"{"quantity":1}"#).status == 200)
  }

  @Test func theStoreItselfRefusesToPromiseWhatIsNotThere() async throws {
    let fixture = try InventoryFixture()
    try await fixture.stock("keyboard", 10)

    for change in ["reserved = 11", "reserved = -1", "on_hand = -1"] {
      await #expect(throws: DatabaseError.self) {
        try await fixture.database.write { try $0.database.execute(sql: "UPDATE products SET \(change)") }
      }
    }
  }

  @Test func productPagesGoByIDAndNeitherRepeatNorSkip() async throws {
    let fixture = try InventoryFixture()
    for number in 0..<25 { try await fixture.stock("product-\(number)", 1) }
    let expected = (0..<25).map { "product-\($0)" }.sorted()

    let ids = try await fixture.http.all("/products", "products", limit: 7).compactMap { $0["product_id"]?.string }
    let first = try await fixture.http.get("/products?limit=10")
    try await fixture.stock("a-new-first-one", 1)
    let cursor = try #require(first["next_cursor"]?.string)
    let second = try await fixture.http.get("/products?limit=1000&cursor=\(cursor)")

    #expect(ids == expected)
    #expect(
      (first.list("products") + second.list("products")).compactMap { $0["product_id"]?.string } == expected)
    #expect(second["next_cursor"]?.isNull == true)
  }

  @Test func limitsAndCursorsOutOfBoundsAre422() async throws {
    let http = try InventoryFixture().http
    let cursorOfAnotherList = "cmVzZXJ2YXRpb25zHzU"

    for query in ["limit=0", "limit=1001", "limit=x", "cursor=x", "cursor=\(cursorOfAnotherList)"] {
      #expect(try await http.get("/products?\(query)").status == 422, "\(query)")
    }
    #expect(try await http.get("/products?limit=1000").status == 200)
  }
}

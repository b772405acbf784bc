import EventSchema
import ServiceDefaults
import TestSupport
import Testing
import WireFormat

@Suite struct QueryValidatorTests {
  @Test func whatIsAbsentOrEmptyIsNil() throws {
    for text in ["", "customer_id=&status=&limit=&cursor=&wait=", "&&=&a", "other=%zz"] {
      var query = QueryValidator(text)
      #expect(query.limit() == 50)
      #expect(query.cursor(of: "orders") == nil)
      #expect(query.identifier("customer_id", as: CustomerID.self) == nil)
      #expect(query.choice("status", of: Colour.self) == nil)
      #expect(query.integer("wait", in: 0...60) == nil)
      #expect(throws: Never.self) { try query.check() }
    }
  }

  @Test func whatIsGivenIsDecodedAndChecked() throws {
    var query = QueryValidator("limit=1000&customer_id=a%2Db&status=dark+red&wait=60&text=a%20b&text=second")
    #expect(query.limit() == 1000)
    #expect(query.identifier("customer_id", as: CustomerID.self)?.rawValue == "a-b")
    #expect(query.choice("status", of: Colour.self) == .darkRed)
    #expect(query.integer("wait", in: 0...60) == 60)
    #expect(query.text("text", length: 1...5) == "a b")
    #expect(throws: Never.self) { try query.check() }
  }

  @Test func everyBadParameterIsNamed() throws {
    var query = QueryValidator("limit=1001&customer_id=a%20b&status=blue&wait=61&cursor=x&text=%F")
    _ = query.limit()
    _ = query.identifier("customer_id", as: CustomerID.self)
    _ = query.choice("status", of: Colour.self)
    _ = query.integer("wait", in: 0...60)
    _ = query.cursor(of: "orders")
    _ = query.text("text", length: 1...5)
    #expect(query.errors.map(\.pointer) == ["/limit", "/customer_id", "/status", "/wait", "/cursor", "/text"])
  }

  private enum Colour: String, CaseIterable {
    case red
    case darkRed = "dark red"
  }
}

@Suite struct PageCursorTests {
  @Test func aCursorComesBackAsItWent() throws {
    var random = SeededGenerator(seed: 4711)
    for _ in 0..<1000 {
      let parts = (0..<Int.random(in: 1...3, using: &random)).map { _ in
        String(
          (0..<Int.random(in: 0...20, using: &random)).compactMap { _ in "aZ09._-é☃ /+%".randomElement(using: &random) }
        )
      }
      let cursor = PageCursor(list: "orders", parts: parts)
      #expect(PageCursor(cursor.text, of: "orders") == cursor)
      #expect(
        cursor.text.utf8.allSatisfy {
          "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8.contains($0)
        })
    }
    #expect(PageCursor(PageCursor(list: "orders", position: .max).text, of: "orders")?.position == .max)
  }

  @Test func aCursorOfAnotherListIsNone() {
    #expect(PageCursor(PageCursor(list: "emails", position: 1).text, of: "orders") == nil)
  }

  @Test func noTextIsACrash() {
    var random = SeededGenerator(seed: 4712)
    for _ in 0..<10_000 {
      let text = String(
        (0..<Int.random(in: 0...30, using: &random)).compactMap { _ in "AQgwz0189-_=/☃ ".randomElement(using: &random) }
      )
      if let cursor = PageCursor(text, of: "orders") { #expect(cursor.text == text) }
    }
  }

  @Test func aPageNamesItsElementsAndItsEnd() {
    let more = Page("orders", [1, 2], next: PageCursor(list: "orders", position: 7))
    #expect(String(decoding: more.jsonBytes, as: UTF8.self) == #"{"orders":[1,2],"next_cursor":"b3JkZXJzHzc"}"#)
    let last = Page<Int>("orders", [], next: nil)
    #expect(String(decoding: last.jsonBytes, as: UTF8.self) == #"{"orders":[],"next_cursor":null}"#)
  }
}

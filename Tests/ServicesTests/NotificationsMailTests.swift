import EventSchema
import GRDB
import Testing
import WireFormat

@testable import Notifications

@Suite struct NotificationsMailTests {
  @Test func everyStepOfAnOrderBecomesOneMail() async throws {
    let fixture = try NotificationsFixture()
    let order = try OrderScript("order-1", [("keyboard", 2)])

    try await fixture.deliver(order.created(), order.confirmed(), order.rejected(), order.cancelled(version: 3))

    #expect(
      try await fixture.mails() == [
        "order-1 ORDER_CANCELLED", "order-1 ORDER_REJECTED", "order-1 ORDER_CONFIRMED", "order-1 ORDER_CREATED",
      ])
  }

  @Test func aSecondEventOfAKindChangesNothing() async throws {
    let fixture = try NotificationsFixture()
    let order = try OrderScript("order-1", [("keyboard", 2)])
    try await fixture.deliver(order.created())
    let first = try await fixture.http.get("/emails").text

    // Another event id, as somebody else's producer could send it: the inbox does not know it.
    try await fixture.deliver(order.created(version: 2), try OrderScript("order-1", [("mouse", 1)]).created())

    #expect(try await fixture.http.get("/emails").text == first)
  }

  @Test func aMailIsReadWithEverythingTheContractNames() async throws {
    let fixture = try NotificationsFixture()
    let event = try OrderScript("order-1", customer: "customer-42", [("keyboard", 2)]).created()
    try await fixture.deliver(event)

    let listed = try #require(try await fixture.http.get("/emails").list("emails").first)
    let id = try #require(listed["email_id"]?.string)
    let read = try await fixture.http.get("/emails/\(id)")

    #expect(
      listed.members.map(\.name) == [
        "email_id", "message_id", "order_id", "customer_id", "to", "subject", "text", "html", "kind", "status",
        "attempts", "created_at", "sent_at", "error",
      ])
    #expect(listed["message_id"]?.string == "<\(event.envelope.eventID)@orderflow.example>")
    #expect(listed["order_id"]?.string == "order-1")
    #expect(listed["customer_id"]?.string == "customer-42")
    #expect(listed["to"]?.string == "customer-42@example.com")
    #expect(listed["subject"]?.string == "We have received your order order-1")
    #expect(listed["text"]?.string?.contains("keyboard") == true)
    #expect(listed["html"]?.string?.contains("keyboard") == true)
    #expect(listed["kind"]?.string == "ORDER_CREATED")
    #expect(listed["status"]?.string == "SENT")
    #expect(listed["attempts"]?.number?.int64 == 1)
    #expect(listed["sent_at"] == listed["created_at"])
    #expect(try JSONValue(parsing: read.body).object == listed)
  }

  @Test func aMailIsServedAsHTMLThatCanRunAndLoadNothing() async throws {
    let fixture = try NotificationsFixture()
    try await fixture.deliver(try OrderScript("order-1", [("keyboard", 2)]).created())
    let listed = try #require(try await fixture.http.get("/emails").list("emails").first)
    let id = try #require(listed["email_id"]?.string)

    let html = try await fixture.http.get("/emails/\(id)/html")

    #expect(html.status == 200)
    #expect(html.headers[.contentType] == "text/html; charset=utf-8")
    #expect(html.headers[.contentSecurityPolicy]?.hasPrefix("default-src 'none'; ") == true)
    #expect(html.headers[.contentSecurityPolicy]?.contains("script") == false)
    #expect(html.text == listed["html"]?.string)
  }

  @Test func aMailIsServedAsAnInternetMessage() async throws {
    let fixture = try NotificationsFixture()
    try await fixture.deliver(try OrderScript("order-1", [("keyboard", 2)]).created())
    let listed = try #require(try await fixture.http.get("/emails").list("emails").first)
    let id = try #require(listed["email_id"]?.string)

    let eml = try await fixture.http.get("/emails/\(id)/eml")

    #expect(eml.status == 200)
    #expect(eml.headers[.contentType] == "message/rfc822")
    #expect(eml.text.contains("Message-ID: \(listed["message_id"]?.string ?? "")\r\n"))
  }

  @Test(arguments: ["", "/html", "/eml"])
  func unknownMailsAre404(_ part: String) async throws {
    let http = try NotificationsFixture().http

    #expect(try await http.get("/emails/nobody\(part)").status == 404)
    #expect(try await http.get("/emails/%00%C3%BC\(part)").status == 404)
  }

  @Test(arguments: [1, 3, 1000])
  func filtersListNewestFirstInPagesOfAnySize(_ limit: Int) async throws {
    let fixture = try NotificationsFixture()
    for number in 0..<10 {
      let order = try OrderScript("order-\(number)", customer: "customer-\(number % 3)", [("keyboard", 1)])
      try await fixture.deliver(order.created(), order.confirmed())
    }
    func listed(_ query: String) async throws -> [String] {
      try await fixture.http.all("/emails?\(query)", "emails", limit: limit)
        .map { "\($0["order_id"]?.string ?? "") \($0["kind"]?.string ?? "")" }
    }
    func expected(_ numbers: [Int]) -> [String] {
      numbers.reversed().flatMap { ["order-\($0) ORDER_CONFIRMED", "order-\($0) ORDER_CREATED"] }
    }

    #expect(try await listed("") == expected(Array(0..<10)))
    #expect(try await listed("customer_id=customer-1") == expected([1, 4, 7]))
    #expect(try await listed("order_id=order-4") == expected([4]))
    #expect(try await listed("order_id=order-4&customer_id=customer-1") == expected([4]))
    #expect(try await listed("order_id=order-4&customer_id=customer-2").isEmpty)
    #expect(try await listed("customer_id=nobody").isEmpty)
  }

  @Test func pagesNeitherRepeatNorSkipWhileMailsAreAdded() async throws {
    let fixture = try NotificationsFixture()
    for number in 0..<6 { try await fixture.deliver(try OrderScript("order-\(number)", [("keyboard", 1)]).created()) }

    let first = try await fixture.http.get("/emails?customer_id=ada&limit=4")
    try await fixture.deliver(try OrderScript("order-new", [("keyboard", 1)]).created())
    let cursor = try #require(first["next_cursor"]?.string)
    let rest = try await fixture.http.get("/emails?customer_id=ada&limit=4&cursor=\(cursor)")

    let listed = (first.list("emails") + rest.list("emails")).compactMap { $0["order_id"]?.string }
    #expect(listed == (0..<6).reversed().map { "order-\($0)" })
    #expect(rest["next_cursor"]?.isNull == true)
  }

  @Test(arguments: ["customer_id=a%20b", "order_id=a@b", "limit=0", "limit=1001", "cursor=abc"])
  func whatIsOutOfItsBoundsIs422(_ query: String) async throws {
    #expect(try await NotificationsFixture().http.get("/emails?\(query)").status == 422)
  }

  /// A page must cost what the page costs, with a million rows behind it. An order's few mails may be sorted.
  @Test func noListScansTheMailbox() async throws {
    let fixture = try NotificationsFixture()
    let lists = [
      (MailStore.every, 2), (MailStore.ofCustomer, 3), (MailStore.ofOrder, 3), (MailStore.ofOrderAndCustomer, 4),
    ]

    for (sql, count) in lists {
      let plan = try await fixture.database.read { database in
        try Row.fetchAll(
          database, sql: "EXPLAIN QUERY PLAN " + sql, arguments: StatementArguments(Array(repeating: 1, count: count))
        ).map { $0["detail"] as String }
      }
      #expect(!plan.contains { $0.hasPrefix("SCAN") }, "\(sql)\n\(plan)")
      let sorts = plan.contains { $0.contains("TEMP B-TREE") }
      #expect(!sorts || plan.contains { $0.contains("order_id=?") }, "\(sql)\n\(plan)")
    }
  }
}

import EventSchema
import Testing
import WireFormat

@Suite struct EventBoundsTests {
  @Test(arguments: [
    ("items.0.quantity", "1"), ("items.0.quantity", "10000"), ("items.0.quantity", "1e4"), ("items.0.quantity", "2.0"),
    ("items.0.unit_price", "0"), ("items.0.unit_price", "-0"), ("items.0.unit_price", "1000000"),
    ("items.0.unit_price", "1000000.00"), ("items.0.unit_price", "49.900"), ("items.0.unit_price", "4990e-2"),
    ("total", "0"), ("total", "92233720368547758.07"), ("order_version", "1"), ("order_version", "9223372036854775807"),
    ("schema_version", "1"), ("schema_version", "1.0"), ("event_id", "\"a\""), ("event_id", "\"\(name(64))\""),
    ("customer_id", "\"A.z_0-9\""), ("items.0.product_id", "\"\(name(64))\""), ("items", list(1)), ("items", list(100)),
  ])
  func whatIsJustWithinTheBoundsIsAnEvent(path: String, json: String) throws {
    let edited = try Edited(.orderCreated).setting(path, to: json)

    #expect(edited.event() != nil, "\(edited.unreadableReason() ?? "")")
  }

  @Test(arguments: [
    ("items.0.quantity", "0"), ("items.0.quantity", "10001"), ("items.0.quantity", "-1"), ("items.0.quantity", "1.5"),
    ("items.0.quantity", "\"2\""), ("items.0.quantity", "null"), ("items.0.quantity", "true"),
    ("items.0.quantity", "1e99"),
    ("items.0.quantity", "1e-400"), ("items.0.quantity", "1e99999999999999999999"),
    ("items.0.quantity", "9223372036854775808"), ("items.0.unit_price", "-0.01"), ("items.0.unit_price", "1000000.01"),
    ("items.0.unit_price", "0.001"), ("items.0.unit_price", "49.901"), ("items.0.unit_price", "\"49.90\""),
    ("items.0.unit_price", "1e99"), ("items.0.unit_price", "1e-400"), ("items.0.product_id", "\"\""),
    ("items.0.product_id", "\"\(name(65))\""), ("items.0.product_id", "\"a b\""), ("items.0.product_id", "\"é\""),
    ("items.0.product_id", "\"a\\u0000\""), ("items.0.product_id", "7"), ("items.1.product_id", "\"keyboard\""),
    ("items.0", "7"), ("items.1", "null"), ("items", "[]"), ("items", list(101)), ("items", "{}"), ("items", "null"),
    ("total", "-0.01"), ("total", "92233720368547758.08"), ("total", "1.001"), ("total", "\"1\""), ("total", "null"),
    ("order_version", "0"), ("order_version", "-1"), ("order_version", "1.5"), ("order_version", "9223372036854775808"),
    ("order_version", "\"1\""), ("schema_version", "2"), ("schema_version", "0"), ("schema_version", "\"1\""),
    ("event_id", "\"\""), ("event_id", "\"\(name(65))\""), ("event_id", "\"a/b\""), ("event_id", "null"),
    ("order_id", "\"\""), ("order_id", "1"), ("customer_id", "\"\""), ("customer_id", "\"a\\nb\""),
    ("timestamp", "\"yesterday\""), ("timestamp", "\"2026-11-22T20:21:07\""), ("timestamp", "1795378867123"),
    ("event_type", "7"), ("event_type", "null"),
  ])
  func whatIsJustOutsideTheBoundsIsUnreadableAndNamesTheField(path: String, json: String) throws {
    let reason = try #require(try Edited(.orderCreated).setting(path, to: json).unreadableReason())

    let field = path.replacing(".0", with: "[0]").replacing(".1", with: "[1]")
    #expect(reason.hasPrefix("\(field): "))
  }

  @Test(arguments: EventType.allCases)
  func everyMissingFieldIsNamed(type: EventType) throws {
    let edited = try Edited(type)

    for name in edited.object.members.map(\.name) {
      #expect(try edited.setting(name, to: nil).unreadableReason() == "missing field \(name)")
    }
    for list in ["items", "shortages"] {
      for name in edited.object[list]?.array?.first?.object?.members.map(\.name) ?? [] {
        #expect(
          try edited.setting("\(list).1.\(name)", to: nil).unreadableReason() == "missing field \(list)[1].\(name)")
      }
    }
  }

  @Test func reasonsReadLikeSentences() throws {
    let edited = try Edited(.orderCreated)

    #expect(
      try edited.setting("items.0.quantity", to: "0").unreadableReason() == "items[0].quantity: must be 1 to 10000")
    #expect(try edited.setting("order_version", to: "0").unreadableReason() == "order_version: must be 1 or more")
    #expect(
      try edited.setting("schema_version", to: "2").unreadableReason() == "schema_version: 2 is not known, only 1")
    #expect(
      try edited.setting("order_id", to: "\"\"").unreadableReason() == "order_id: must be 1 to 64 of A-Z a-z 0-9 . _ -")
    #expect(
      try edited.setting("items.0.unit_price", to: "0.001").unreadableReason()
        == "items[0].unit_price: must be 0.00 to 1000000.00 with at most two decimals")
    #expect(
      try edited.setting("items.1.product_id", to: "\"keyboard\"").unreadableReason()
        == "items[1].product_id: is there twice")
    #expect(try edited.setting("items.1", to: "7").unreadableReason() == "items[1]: must be an object")
    #expect(try edited.setting("timestamp", to: "7").unreadableReason() == "timestamp: must be a string")
    #expect(
      try edited.setting("timestamp", to: "\"now\"").unreadableReason()
        == "timestamp: must be a date and time of RFC 3339")
  }

  @Test(arguments: [1, 2, 15, 16, 17, 100])
  func eachPlaceThatNamesAProductAgainIsFound(count: Int) throws {
    let products = try (0..<count).map { try #require(ProductID("product-\($0)")) }

    #expect(products.repetitions.isEmpty)
    #expect((products + [products[count - 1], products[0]]).repetitions == [count, count + 1])
  }

  @Test(arguments: [EventType.orderRejected, .orderCancelled, .inventoryReleased])
  func aReasonHasUpTo500Characters(type: EventType) throws {
    func isRead(_ reason: String) throws -> Bool {
      try Edited(type).setting("reason", to: String(decoding: reason.jsonBytes, as: UTF8.self)).event() != nil
    }

    #expect(try isRead(""))
    #expect(try isRead(String(repeating: "x", count: 500)))
    #expect(try isRead(String(repeating: "👨‍👩‍👧‍👦", count: 500)))
    #expect(try !isRead(String(repeating: "x", count: 501)))
    #expect(try !isRead(String(repeating: "é", count: 501)))
    #expect(try Edited(type).setting("reason", to: "7").unreadableReason() == "reason: must be a string")
  }

  @Test func anInventoryRejectionHasAKnownReasonAndItsShortages() throws {
    let edited = try Edited(.inventoryRejected)

    #expect(try edited.setting("reason", to: "\"UNKNOWN_PRODUCT\"").event() != nil)
    #expect(
      try edited.setting("reason", to: "\"WHIM\"").unreadableReason()
        == "reason: must be OUT_OF_STOCK or UNKNOWN_PRODUCT")
    #expect(try edited.setting("shortages", to: "[]").event() != nil)
    #expect(try edited.setting("shortages.0.available", to: "0").event() != nil)
    #expect(
      try edited.setting("shortages.0.available", to: "-1").unreadableReason()
        == "shortages[0].available: must be 0 or more")
    #expect(
      try edited.setting("shortages.1.requested", to: "0").unreadableReason()
        == "shortages[1].requested: must be 1 to 10000")
  }

  @Test(arguments: [EventType.inventoryReserved, .inventoryReleased])
  func aReservationHasTheItemBoundsOfAnOrder(type: EventType) throws {
    let edited = try Edited(type)

    #expect(try edited.setting("items", to: "[]").unreadableReason() == "items: must have 1 to 100 elements")
    #expect(
      try edited.setting("items.1.quantity", to: "10001").unreadableReason() == "items[1].quantity: must be 1 to 10000")
    #expect(
      try edited.setting("items.1.product_id", to: "\"keyboard\"").unreadableReason()
        == "items[1].product_id: is there twice")
    #expect(try edited.setting("items.1", to: "7").unreadableReason() == "items[1]: must be an object")
    #expect(try edited.setting("timestamp", to: "7").unreadableReason() == "timestamp: must be a string")
    #expect(
      try edited.setting("timestamp", to: "\"now\"").unreadableReason()
        == "timestamp: must be a date and time of RFC 3339")
    #expect(
      try edited.setting("reservation_id", to: "\"\"").unreadableReason()
        == "reservation_id: must be 1 to 64 of A-Z a-z 0-9 . _ -")
  }

  @Test(arguments: [
    "2026-11-22T20:21:07.123Z", "2026-11-22t20:21:07.123z", "2026-11-22T21:21:07.123+01:00",
    "2026-11-22T14:51:07.1234567-05:30", "2026-11-22T20:21:07.123+00:00", "2026-11-22T20:21:07.123-00:00",
  ])
  func anyOffsetNamesTheSameMoment(timestamp: String) throws {
    let event = try Edited(.orderCreated).setting("timestamp", to: "\"\(timestamp)\"").event()

    #expect(event?.envelope.timestamp == (try Samples.sample(of: .orderCreated)).envelope.timestamp)
  }

  private static func name(_ length: Int) -> String { String(repeating: "n", count: length) }

  private static func list(_ count: Int) -> String {
    let items = (0..<count).map { #"{"product_id":"p\#($0)","quantity":1,"unit_price":1}"# }
    return "[\(items.joined(separator: ","))]"
  }
}

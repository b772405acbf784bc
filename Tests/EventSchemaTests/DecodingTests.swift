import EventSchema
import Testing
import WireFormat

@Suite struct DecodingTests {
  @Test func aNullAndAnEmptyValueAreUnreadable() {
    #expect(reason(of: nil) == "null value")
    #expect(reason(of: []) == "empty value")
  }

  @Test(arguments: ["null", "7", "\"text\"", "[]", "[{}]"])
  func whatIsNoObjectIsUnreadable(json: String) {
    #expect(reason(of: Array(json.utf8)) == "not a JSON object")
  }

  @Test(
    arguments: [
      Array("{".utf8), Array("{}}".utf8), Array("hello".utf8), [0xFF, 0xFE], [0xEF, 0xBB, 0xBF, 0x7B, 0x7D], [0],
      [0x7B, 0x22, 0xC3, 0x28, 0x22, 0x3A, 0x31, 0x7D], Array(repeating: UInt8(ascii: "["), count: 100_000),
      Array(String(repeating: "{\"a\":", count: 100_000).utf8), Array(repeating: 0x20, count: 1_000_000),
    ] as [[UInt8]])
  func whatIsNotJSONIsUnreadable(bytes: [UInt8]) throws {
    #expect(try #require(reason(of: bytes)).hasPrefix("not JSON: "))
  }

  @Test func theRecordOfATutorialIsUnreadableAndTheFirstMissingFieldIsNamed() {
    let value = Array(#"{"event_type":"ORDER_CREATED","order_id":"o-1","items":[],"total":1.0}"#.utf8)

    #expect(
      EventCodec.decode(key: Array("o-1".utf8), value: value)
        == .unreadable(
          reason: "missing field event_id", eventType: "ORDER_CREATED", eventID: nil, orderID: OrderID("o-1"),
          orderVersion: nil))
    #expect(reason(of: Array("{}".utf8)) == "missing field event_type")
  }

  @Test(arguments: EventType.allCases)
  func anUnreadableEventTellsWhatCouldBeRead(type: EventType) throws {
    let event = try Samples.sample(of: type)
    let edited = try Edited(type).setting("timestamp", to: "7")

    #expect(
      edited.decoded()
        == .unreadable(
          reason: "timestamp: must be a string", eventType: type.rawValue, eventID: event.envelope.eventID,
          orderID: event.envelope.orderID, orderVersion: event.envelope.orderVersion))
  }

  @Test(
    arguments: [nil, [], Array("other".utf8), Array("019AAD8C-3F10-7A2B-8C3D-0123456789AB".utf8), [0xFF]] as [[UInt8]?])
  func aKeyOtherThanTheOrderIDIsUnreadable(key: [UInt8]?) throws {
    #expect(try Edited(.orderCreated).withKey(key).unreadableReason() == "key: must be the order_id")
    #expect(try Edited(.inventoryReserved).withKey(key).unreadableReason() == "key: must be the order_id")
  }

  @Test func anUnknownTypeIsReportedWithWhatCanBeRead() throws {
    let envelope = try Samples.sample(of: .orderCreated).envelope
    let edited = try Edited(.orderCreated).setting("event_type", to: "\"ORDER_SHIPPED\"")

    #expect(
      edited.decoded()
        == .unknownType(
          "ORDER_SHIPPED", eventID: envelope.eventID, orderID: envelope.orderID, orderVersion: envelope.orderVersion))
    #expect(
      try edited.setting("order_version", to: "0").setting("event_id", to: "7").decoded()
        == .unknownType("ORDER_SHIPPED", eventID: nil, orderID: envelope.orderID, orderVersion: nil))
    #expect(
      EventCodec.decode(key: nil, value: Array(#"{"event_type":""}"#.utf8))
        == .unknownType("", eventID: nil, orderID: nil, orderVersion: nil))
  }

  @Test func anUnknownTypeIsIgnoredWhateverElseIsWrongWithIt() throws {
    let edited = try Edited(.orderCreated).setting("event_type", to: "\"order_created\"")
      .setting("schema_version", to: "99").setting("items", to: "null")

    guard case .unknownType("order_created", _, _, orderVersion: 1) = edited.decoded() else {
      Issue.record("\(edited.decoded())")
      return
    }
  }

  @Test func anUnknownTypeUnderAnotherKeyHasNoVersion() throws {
    let envelope = try Samples.sample(of: .orderCreated).envelope
    let edited = try Edited(.orderCreated).setting("event_type", to: "\"X\"").withKey(Array("other".utf8))

    #expect(
      edited.decoded()
        == .unknownType("X", eventID: envelope.eventID, orderID: envelope.orderID, orderVersion: nil))
  }

  private func reason(of value: [UInt8]?) -> String? {
    guard case .unreadable(let reason, nil, nil, nil, nil) = EventCodec.decode(key: nil, value: value) else {
      return nil
    }
    return reason
  }
}

import Messaging
import Testing
import WireFormat

@testable import orderflow

struct EventLineTests {
  private func record(_ value: [UInt8]?, key: [UInt8]? = Array("k".utf8)) -> ConsumedRecord {
    ConsumedRecord(topicPartition: TopicPartition("orders", 2), offset: 17, timestamp: 0, key: key, value: value)
  }

  @Test func anEventIsOneLine() {
    let line = EventLine(record(Array("{\"event_type\":\"ORDER_CREATED\",\n\"total\":1}".utf8)))

    #expect(
      line.text(palette: .plain)
        == #"1970-01-01T00:00:00.000Z  orders[2]@17  k  ORDER_CREATED  {"event_type":"ORDER_CREATED",\u{A}"total":1}"#)
    #expect(String(decoding: line.raw, as: UTF8.self) == #"{"event_type":"ORDER_CREATED", "total":1}"#)
  }

  @Test func aTombstoneWithoutAKeyIsShown() {
    let line = EventLine(record(nil, key: nil))

    #expect(line.text(palette: .plain) == "1970-01-01T00:00:00.000Z  orders[2]@17  (no key)  TOMBSTONE  null")
    #expect(line.raw == Array("null".utf8))
  }

  @Test(arguments: [[], [0xFF, 0xFE], Array("{\"a\":".utf8), Array("\u{1B}[2J".utf8)] as [[UInt8]])
  func whatIsNotJSONIsShownAndHarmless(value: [UInt8]) throws {
    let line = EventLine(record(value, key: [0xFF, 0x0A]))

    #expect(line.text(palette: .plain).contains("NOT_JSON"))
    #expect(!line.text(palette: .plain).contains { $0 == "\n" || $0 == "\u{1B}" })
    let raw = try #require(try JSONValue(parsing: line.raw).object)
    #expect(raw["value_base64"]?.string.flatMap(Base64.decoded) == value)
  }

  @Test func aDeadLetterIsRecognised() {
    #expect(
      EventLine(record(Array(#"{"original_topic":"orders"}"#.utf8))).text(palette: .plain).contains("DEAD_LETTER"))
  }
}

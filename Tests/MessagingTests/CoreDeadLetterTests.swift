import Messaging
import Testing
import WireFormat

@Suite("A dead letter's message")
struct CoreDeadLetterTests {
  @Test func carriesTheContractsFields() throws {
    let record = consumedRecord(
      offset: 4711, value: Array(#"{"order_version": 1.50}"#.utf8),
      headers: [Header("ce_id", "e-1"), Header(name: "ce_id", value: nil), Header(name: "raw", value: [0xFF])])
    let json = try parse(deadLetter("e-1", record: record))

    #expect(json["original_message"]?.object?["order_version"]?.number?.text == "1.50")
    #expect(json["original_message_base64"]?.string == "eyJvcmRlcl92ZXJzaW9uIjogMS41MH0=")
    #expect(json["error"]?.string == "handler failed")
    #expect(json["original_topic"]?.string == "orders")
    #expect(json["original_partition"]?.number?.int64 == 2)
    #expect(json["original_offset"]?.number?.int64 == 4711)
    #expect(json["original_key"]?.string == "order-1")
    #expect(json["original_key_base64"]?.string == "b3JkZXItMQ==")
    #expect(json["consumer_group"]?.string == StoreUnderTest.group)
    #expect(json["attempts"]?.number?.int64 == 3)
    #expect(json["redrives"]?.number?.int64 == 0)
    #expect(json["event_id"]?.string == "e-1")
    #expect(json["failed_at"]?.string == "2026-11-22T20:21:07.000Z")
    #expect(json["truncated"] == nil)
    let headers = try #require(json["original_headers"]?.array).compactMap(\.object)
    #expect(headers.map { $0["key"]?.string } == ["ce_id", "ce_id", "raw"])
    #expect(headers.map { $0["value"]?.string } == ["e-1", nil, nil])
    #expect(headers.map { $0["value_base64"]?.string } == ["ZS0x", nil, "/w=="])
  }

  @Test func goesToTheTopicsDeadLettersUnderTheOriginalKey() {
    let message = deadLetter("e-1").outboxMessage(maximumBytes: 1_000_000)

    #expect(message.message.topic == "orders-dlq")
    #expect(message.message.key == Array("order-1".utf8))
    #expect(message.message.headers.contains(Header("ce_id", message.eventID)))
    #expect(message.message.headers.contains(Header("dlq_original_offset", "7")))
  }

  @Test func hasAnIDOfItsOwnForEachGroupEventAndRedrive() {
    var other = deadLetter("e-1")
    other.consumerGroup = "group-b"
    let letters = [deadLetter("e-1"), deadLetter("e-2"), deadLetter("e-1", redrives: 1), other]

    #expect(Set(letters.map { $0.outboxMessage(maximumBytes: 1_000_000).eventID }).count == 4)
    #expect(deadLetter("e-1").publicationID == deadLetter("e-1").publicationID)
  }

  @Test(
    arguments: [
      nil, [], Array("not json".utf8), [0xFF, 0xFE], Array("{} {}".utf8), Array("{\"a\":".utf8),
      Array(repeating: UInt8(ascii: "["), count: 100_000),
    ] as [[UInt8]?])
  func whatIsNoJSONIsKeptAsBytesAlone(_ value: [UInt8]?) throws {
    let json = try parse(deadLetter("e-1", record: consumedRecord(value: value)))

    #expect(json["original_message"]?.isNull == true)
    if value == nil {
      #expect(json["original_message_base64"]?.isNull == true)
    } else {
      #expect(json["original_message_base64"]?.string?.isEmpty == (value?.isEmpty ?? false))
    }
  }

  @Test func aNullKeyAndABinaryKeyAreTold() throws {
    let none = try parse(deadLetter("e-1", record: consumedRecord(key: nil)))
    #expect(none["original_key"]?.isNull == true)
    #expect(none["original_key_base64"]?.isNull == true)

    let binary = try parse(deadLetter("e-1", record: consumedRecord(key: [0xC0, 0x00])))
    #expect(binary["original_key"]?.isNull == true)
    #expect(binary["original_key_base64"]?.string == "wAA=")
  }

  @Test func isCutWhereTheTopicWouldNotTakeIt() throws {
    let value = Array(("\"" + String(repeating: "x", count: 10_000) + "\"").utf8)
    let header = Header("h", String(repeating: "h", count: 3_000))
    let large = deadLetter("e-1", record: consumedRecord(value: value, headers: [header]))
    func cut(to bytes: Int) throws -> JSONObject {
      let message = large.outboxMessage(maximumBytes: bytes).message
      #expect(message.byteCount <= bytes)
      let value = try #require(message.value)
      return try #require(try JSONValue(parsing: value).object)
    }

    let whole = try cut(to: 40_000)
    #expect(whole["truncated"] == nil)
    let withoutMessage = try cut(to: 25_000)
    #expect(withoutMessage["truncated"]?.bool == true)
    #expect(withoutMessage["original_message"]?.isNull == true)
    #expect(withoutMessage["original_message_base64"]?.string?.isEmpty == false)
    let withoutBytes = try cut(to: 12_000)
    #expect(withoutBytes["truncated"]?.bool == true)
    #expect(withoutBytes["original_message_base64"]?.isNull == true)
    #expect(withoutBytes["original_headers"]?.array?.count == 1)
    #expect(try cut(to: 4_000)["original_headers"]?.array?.isEmpty == true)
  }

  @Test func aLongErrorIsCutBetweenCharacters() throws {
    var letter = deadLetter("e-1")
    letter.error = String(repeating: "ü", count: 5_000) + "!"

    let json = try parse(letter)
    #expect(json["error"]?.string == String(repeating: "ü", count: 2_048))
  }

  @Test func aRecordWithoutAnIDIsNamedByPlaceAndContent() {
    let record = ConsumedRecord(
      topicPartition: TopicPartition("orders", 2), offset: 9, key: Array("ab".utf8), value: Array("c".utf8))
    // The first 16 digits of the SHA-256 of "abc".
    #expect(record.nameByPlace == "orders/2/9/ba7816bf8f01cfea")

    var empty = record
    (empty.key, empty.value) = (nil, nil)
    #expect(empty.nameByPlace == "orders/2/9/e3b0c44298fc1c14")
    let unreadable = UnreadableRecord(reason: "no event_id")
    let letter = DeadLetter(
      unreadable: unreadable, record: empty, consumerGroup: "g", attempts: 1,
      failedAt: Timestamp(millisecondsSinceEpoch: 0))
    #expect(letter.eventID == empty.nameByPlace)
  }

  private func parse(_ letter: DeadLetter) throws -> JSONObject {
    let value = try #require(letter.outboxMessage(maximumBytes: 1_000_000).message.value)
    return try #require(try JSONValue(parsing: value).object)
  }
}

import Messaging
import Testing
import WireFormat

@testable import orderflow

struct DeadLetterCollectionTests {
  private let event = #"""
    {"event_id":"e1","event_type":"INVENTORY_REJECTED","schema_version":1,"order_id":"o1","order_version":1,
    "reason":"OUT_OF_STOCK","shortages":[],"timestamp":"2026-11-22T20:21:07.123Z"}
    """#

  private func published(_ value: String, key: String?, error: String = "it failed", redrives: Int = 0)
    -> ConsumedRecord
  {
    let deadLetter = DeadLetter(
      consumerGroup: "order-service", eventID: "e1", eventType: nil, key: key, version: nil,
      record: ConsumedRecord(
        topicPartition: TopicPartition("inventory", 0), offset: 1, key: key.map { Array($0.utf8) },
        value: Array(value.utf8)),
      error: error, attempts: 1, redrives: redrives, failedAt: .now())
    let message = deadLetter.outboxMessage(maximumBytes: 100_000).message
    return ConsumedRecord(
      topicPartition: TopicPartition(message.topic, 0), offset: 7, key: message.key, value: message.value)
  }

  private func row(status: String, redrives: Int = 0) -> Row {
    let text = """
      {"consumer_group":"order-service","event_id":"e1","redrives":\(redrives),"status":"\(status)","order_id":"o1","error":"x"}
      """
    return Row(object: (try? JSONValue(parsing: Array(text.utf8)))?.object ?? JSONObject(), list: "test")
  }

  @Test func whatCannotBeReadIsRecognisedByItsBytes() throws {
    var collection = DeadLetterCollection()
    collection.add(published("not JSON at all", key: "o1"))

    #expect(collection.letters(orders: []).map(\.cause) == [.unreadable])
  }

  @Test func anEventOfAnUnknownOrderIsRecognised() {
    var collection = DeadLetterCollection()
    collection.add(published(event, key: "o1"))

    #expect(collection.letters(orders: []).map(\.cause) == [.unknownOrder])
    #expect(collection.letters(orders: ["o1"]).map(\.cause) == [.failure])
  }

  @Test func theStoreSaysWhetherItIsOpenAndCopiesCountOnce() throws {
    var collection = DeadLetterCollection()
    collection.add(published(event, key: "o1"))
    collection.add(published(event, key: "o1"))
    try collection.add(row(status: "resolved"), service: "OrderService")

    let letters = collection.letters(orders: ["o1"])

    #expect(letters.map(\.isOpen) == [false])
    #expect(letters.map(\.place) == ["OrderService"])
  }

  @Test func aRedriveThatFailedIsTheSameDeadLetterPublishedAgain() throws {
    var collection = DeadLetterCollection()
    collection.add(published(event, key: "o1", redrives: 1))
    collection.add(published(event, key: "o1"))
    #expect(collection.letters(orders: ["o1"]).map(\.redrives) == [1])

    try collection.add(row(status: "discarded", redrives: 1), service: "OrderService")

    #expect(collection.letters(orders: ["o1"]).map(\.isOpen) == [false])
  }

  @Test func recordsThatAreNoDeadLettersAreLeftOut() {
    var collection = DeadLetterCollection()
    for value in [nil, Array("x".utf8), Array("{}".utf8)] as [[UInt8]?] {
      collection.add(ConsumedRecord(topicPartition: TopicPartition("orders-dlq", 0), offset: 0, key: nil, value: value))
    }

    #expect(collection.letters(orders: []).isEmpty)
  }
}

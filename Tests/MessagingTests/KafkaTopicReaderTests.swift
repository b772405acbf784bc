import Foundation
import Messaging
import MessagingKafka
import Testing

@Suite("Reading topics without a group", .timeLimit(.minutes(5)))
struct KafkaTopicReaderTests {
  @Test func everythingIsReadAndTheEndIsKnown() async throws {
    try await onThread {
      let embedded = try EmbeddedBroker(topics: [("t", 3), ("u", 1), ("empty", 2)])
      let broker = kafkaBroker(on: embedded)
      try publish(numbered(0..<300, in: "t") + numbered(300..<400, in: "u"), through: broker)
      let reader = try broker.makeReader(topics: ["t", "u", "empty"], from: .earliest, timeout: .seconds(20))
      defer { reader.close() }

      #expect(!reader.hasReachedEnd)
      let records = try readToEnd(reader)

      #expect(records.map(number(of:)).sorted() == Array(0..<400))
      try publish(numbered(400..<401, in: "u"), through: broker)
      var more: [ConsumedRecord] = []
      try proceed("one more", until: { !more.isEmpty }) { more = try reader.read(maximum: 10, timeout: .seconds(1)) }
      #expect(more.map(number(of:)) == [400])
      #expect(reader.hasReachedEnd)
    }
  }

  @Test func readingFromTheEndMissesNothingThatComesAfterwards() async throws {
    try await onThread {
      let embedded = try EmbeddedBroker(topics: [("t", 2)])
      let broker = kafkaBroker(on: embedded)
      try publish(numbered(0..<10, in: "t"), through: broker)
      let reader = try broker.makeReader(topics: ["t"], from: .end, timeout: .seconds(20))
      defer { reader.close() }
      #expect(reader.hasReachedEnd)

      try publish(numbered(10..<30, in: "t"), through: broker)
      var records: [ConsumedRecord] = []
      try proceed("twenty", until: { records.count >= 20 }) {
        records += try reader.read(maximum: 3, timeout: .seconds(1))
      }

      #expect(records.map(number(of:)).sorted() == Array(10..<30))
    }
  }

  @Test func readingStartsAtTheOffsetsGiven() async throws {
    try await onThread {
      let embedded = try EmbeddedBroker(topics: [("t", 1)])
      let broker = kafkaBroker(on: embedded)
      try publish(numbered(0..<10, in: "t"), through: broker)
      let reader = try broker.makeReader(
        topics: ["t"], from: .offsets([TopicPartition("t", 0): 7]), timeout: .seconds(20))
      defer { reader.close() }

      #expect(try readToEnd(reader).map(number(of:)) == [7, 8, 9])
    }
  }

  @Test func aTopicThatIsNotThereIsAnErrorAndIsNotMade() async throws {
    try await onThread {
      let embedded = try EmbeddedBroker(topics: [("t", 1)])
      let broker = kafkaBroker(on: embedded)

      let error = #expect(throws: BrokerError.self) {
        try broker.makeReader(topics: ["t", "none"], from: .earliest, timeout: .seconds(20))
      }

      #expect(error?.name == "UNKNOWN_TOPIC_OR_PART")
      let admin = try broker.makeAdmin()
      defer { admin.close() }
      #expect(try admin.topics(timeout: .seconds(20)) == ["t": 1])
    }
  }

  @Test func wakingEndsARead() async throws {
    try await onThread {
      let embedded = try EmbeddedBroker(topics: [("t", 1)])
      let reader = try kafkaBroker(on: embedded).makeReader(topics: ["t"], from: .end, timeout: .seconds(20))
      let start = ContinuousClock.now

      reader.wake()
      #expect(try reader.read(maximum: 1, timeout: .seconds(30)).isEmpty)

      #expect(ContinuousClock.now - start < .seconds(15))
      reader.close()
      reader.close()
      #expect(throws: BrokerError.self) { try reader.read(maximum: 1, timeout: .zero) }
    }
  }
}

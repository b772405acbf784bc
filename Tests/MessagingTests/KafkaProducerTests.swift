import Foundation
import Messaging
import MessagingKafka
import Testing

@Suite("The Kafka producer", .timeLimit(.minutes(5)))
struct KafkaProducerTests {
  @Test func messagesWaitForABrokerThatIsAway() async throws {
    try await onThread {
      let embedded = try EmbeddedBroker(topics: [("t", 1)])
      let producer = try kafkaBroker(on: embedded).makeProducer()
      defer { producer.close(timeout: .seconds(5)) }
      try publish(numbered(0..<1, in: "t"), with: producer)

      try embedded.setDown()
      #expect(try producer.enqueue([(token: 7, message: numbered(1..<2, in: "t")[0])]) == 1)
      #expect(producer.deliveries(timeout: .milliseconds(300)).isEmpty)
      try embedded.setUp()
      var reports: [DeliveryReport] = []
      try proceed("the report", until: { !reports.isEmpty }) { reports = producer.deliveries(timeout: .seconds(1)) }

      #expect(reports.map(\.token) == [7])
      #expect(try reports[0].result.get() == RecordPosition(topicPartition: TopicPartition("t", 0), offset: 1))
    }
  }

  @Test func aBrokerThatStaysAwayIsARetriableFailure() async throws {
    try await onThread {
      let embedded = try EmbeddedBroker(topics: [("t", 1)])
      try embedded.setDown()
      let producer = try kafkaBroker(on: embedded, producer: ["message.timeout.ms": "700"]).makeProducer()
      defer { producer.close(timeout: .seconds(1)) }

      let reports = try publish(numbered(0..<3, in: "t"), with: producer)

      for report in reports {
        let error = #expect(throws: BrokerError.self) { try report.get() }
        #expect(error?.isRetriable == true)
        #expect(error?.name == "_MSG_TIMED_OUT")
      }
    }
  }

  @Test func aFullQueueTakesNoMoreAndGoesOnAfterTheReports() async throws {
    try await onThread {
      let embedded = try EmbeddedBroker(topics: [("t", 1)])
      try embedded.setDown()
      let producer = try kafkaBroker(on: embedded, producer: ["queue.buffering.max.messages": "10"]).makeProducer()
      defer { producer.close(timeout: .seconds(5)) }
      let messages = numbered(0..<25, in: "t").enumerated().map { (token: UInt64($0.offset), message: $0.element) }

      #expect(try producer.enqueue(messages) == 10)
      #expect(try producer.enqueue(Array(messages[10...])) == 0)
      try embedded.setUp()
      var next = 10
      var tokens: [UInt64] = []
      try proceed("all reports", until: { tokens.count == 25 }) {
        for report in producer.deliveries(timeout: .seconds(1)) {
          _ = try report.result.get()
          tokens.append(report.token)
        }
        next += try producer.enqueue(Array(messages[next...]))
      }

      #expect(tokens.sorted() == Array(0..<25))
    }
  }

  @Test func anErrorThatPassesIsRetriedAndNothingIsDoubledOrReordered() async throws {
    try await onThread {
      let embedded = try EmbeddedBroker(topics: [("t", 1)])
      let broker = kafkaBroker(on: embedded)
      try embedded.pushErrors([.notLeader, .notEnoughReplicas, .requestTimedOut], for: .produce)

      try publish(numbered(0..<50, in: "t", key: "k"), through: broker)

      let reader = try broker.makeReader(topics: ["t"], from: .earliest, timeout: .seconds(20))
      defer { reader.close() }
      #expect(try readToEnd(reader).map(number(of:)) == Array(0..<50))
    }
  }

  @Test func anErrorThatStaysIsReported() async throws {
    try await onThread {
      let embedded = try EmbeddedBroker(topics: [("t", 1)])
      let producer = try kafkaBroker(on: embedded).makeProducer()
      defer { producer.close(timeout: .seconds(5)) }
      try embedded.pushErrors([.topicAuthorizationFailed], for: .produce)

      let reports = try publish(numbered(0..<1, in: "t"), with: producer)

      let error = #expect(throws: BrokerError.self) { try reports[0].get() }
      #expect(error?.name == "TOPIC_AUTHORIZATION_FAILED")
      #expect(error?.kind == .permanent)
    }
  }

  @Test func reportsCarryTheTokensWhateverTheyAre() async throws {
    try await onThread {
      let embedded = try EmbeddedBroker(topics: [("t", 1)])
      let producer = try kafkaBroker(on: embedded).makeProducer()
      defer { producer.close(timeout: .seconds(5)) }
      let tokens: [UInt64] = [0, 1, .max, 1 << 63, 42]

      #expect(try producer.enqueue(tokens.map { (token: $0, message: numbered(0..<1, in: "t")[0]) }) == tokens.count)
      var received: [UInt64] = []
      try proceed("all reports", until: { received.count == tokens.count }) {
        received += producer.deliveries(timeout: .seconds(1)).map(\.token)
      }

      #expect(received == tokens)
    }
  }

  @Test func whatAPreparedProducerIsGivenArrivesLikeAnythingElse() async throws {
    try await onThread {
      let embedded = try EmbeddedBroker(topics: [("t", 1), ("u", 1)])
      let producer = try kafkaBroker(on: embedded).makeProducer()
      let impossible = String(repeating: "t", count: 600)

      producer.prepare(for: ["t", impossible])
      producer.prepare(for: ["t"])
      let reports = try publish(
        numbered(0..<2, in: "t") + numbered(0..<1, in: "u") + numbered(0..<1, in: impossible), with: producer)
      producer.close(timeout: .seconds(5))
      producer.prepare(for: ["u"])

      #expect(try reports[..<3].map { try $0.get().offset } == [0, 1, 0])
      let error = #expect(throws: BrokerError.self) { try reports[3].get() }
      #expect(error?.kind == .permanent)
    }
  }

  /// Vectors from librdkafka's own tests, which took them from the Java client.
  @Test(arguments: [
    ("kafka", UInt32(0xD067_CF64)), ("giberish123456789", 0x8F55_2B0C), ("1234", 0x9FC9_7B14),
    ("234", 0xE7C0_09CA), ("34", 0x8739_30DA), ("4", 0x5A4B_5CA1), ("", 0x106E_08D9),
    ("PreAmbleWillBeRemoved,ThePrePartThatIs", 0x7842_4F1C),
  ])
  func keysGoWhereJavaPutsThem(_ key: String, _ hash: UInt32) async throws {
    try await onThread {
      let embedded = try EmbeddedBroker(topics: [("t", 97)])
      let producer = try kafkaBroker(on: embedded).makeProducer()
      defer { producer.close(timeout: .seconds(5)) }

      let report = try publish([OutgoingMessage(topic: "t", key: Array(key.utf8), value: [1])], with: producer)[0]

      #expect(try report.get().topicPartition.partition == Int32((hash & 0x7FFF_FFFF) % 97))
      #expect(MurmurPartitioner.hash(Array(key.utf8)) == hash)
    }
  }

  @Test func whatIsInFlightIsDeliveredBeforeAClose() async throws {
    try await onThread {
      let embedded = try EmbeddedBroker(topics: [("t", 1)])
      let broker = kafkaBroker(on: embedded, producer: ["linger.ms": "200"])
      let producer = try broker.makeProducer()
      let messages = numbered(0..<100, in: "t").map { (token: UInt64(1), message: $0) }

      #expect(try producer.enqueue(messages) == 100)
      producer.close(timeout: .seconds(20))

      let admin = try broker.makeAdmin()
      defer { admin.close() }
      #expect(try admin.watermarks(of: TopicPartition("t", 0), timeout: .seconds(20)).end == 100)
      #expect(throws: BrokerError.self) { try producer.enqueue(messages) }
    }
  }

  @Test func aCloseWithoutABrokerIsBounded() async throws {
    try await onThread {
      let embedded = try EmbeddedBroker(topics: [("t", 1)])
      try embedded.setDown()
      let producer = try kafkaBroker(on: embedded).makeProducer()
      #expect(try producer.enqueue([(token: 1, message: numbered(0..<1, in: "t")[0])]) == 1)
      let start = ContinuousClock.now

      producer.close(timeout: .milliseconds(200))

      #expect(ContinuousClock.now - start < .seconds(10))
    }
  }
}

/// Reads everything there was when the reader was made.
func readToEnd(_ reader: TopicReader) throws -> [ConsumedRecord] {
  var records: [ConsumedRecord] = []
  try proceed("the end of the topics", until: { reader.hasReachedEnd }) {
    records += try reader.read(maximum: 1000, timeout: .seconds(1))
  }
  return records
}

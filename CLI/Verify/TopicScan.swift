import EventSchema
import Foundation
import Messaging
import MessagingKafka
import WireFormat

/// What is on the topics of events and dead letters.
struct TopicScan: Sendable {
  var records: [ObservedRecord] = []
  var logs: [TopicPartition: Range<Int64>] = [:]
  var deadLetters = DeadLetterCollection()

  /// How long to wait for the next record before the broker counts as gone.
  static let patience = Duration.seconds(20)

  /// Reads everything that the topics have at this moment, without a group. Topics that are not there are empty.
  static func read(_ stack: Stack, progress: Progress) async throws -> TopicScan {
    let environment = ProcessInfo.processInfo.environment
    return try await KafkaAccess.blocking(stack) {
      try read(KafkaAccess.broker(of: stack, environment: environment), stack, progress)
    }
  }

  private static func read(_ broker: KafkaBroker, _ stack: Stack, _ progress: Progress) throws -> TopicScan {
    var scan = TopicScan()
    let admin = try broker.makeKafkaAdmin()
    defer { admin.close() }
    let present = try admin.topics(timeout: KafkaAccess.timeout).filter { Topics.all.contains($0.key) }
    for (topic, count) in present {
      for partition in (0..<Int32(clamping: count)).map({ TopicPartition(topic, $0) }) {
        let (start, end) = try admin.watermarks(of: partition, timeout: KafkaAccess.timeout)
        scan.logs[partition] = start..<max(start, end)
      }
    }
    guard !present.isEmpty else { return scan }
    let reader = try broker.makeReader(topics: present.keys.sorted(), from: .earliest, timeout: KafkaAccess.timeout)
    defer { reader.close() }
    var lastRecord = ContinuousClock.now
    while !reader.hasReachedEnd {
      let records = try reader.read(maximum: 5_000, timeout: .seconds(1))
      if !records.isEmpty { lastRecord = .now }
      guard .now - lastRecord < patience else {
        throw Failure("the topics cannot be read to their end: nothing comes from \(stack.bootstrapServers) any more")
      }
      for record in records { scan.take(record) }
      progress.show("records", scan.records.count.grouped)
    }
    return scan
  }

  private mutating func take(_ record: ConsumedRecord) {
    // What came after the log's end was noted is for the next look.
    if let log = logs[record.topicPartition], record.offset >= log.upperBound { return }
    records.append(ObservedRecord(record))
    if Topics.events.contains(record.topic) { return }
    deadLetters.add(record)
  }
}

extension Topics {
  /// Those that carry events themselves.
  static let events = [orders, inventory]
}

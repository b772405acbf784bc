/// A partition: records in the order in which they came, and the offset of the first.
struct InMemoryLog: Sendable {
  private(set) var records: [ConsumedRecord] = []
  private(set) var start: Int64 = 0
  private let topicPartition: TopicPartition

  init(_ topicPartition: TopicPartition) {
    self.topicPartition = topicPartition
  }

  var end: Int64 { start + Int64(records.count) }

  mutating func append(_ message: OutgoingMessage, timestamp: Int64) -> RecordPosition {
    let offset = end
    records.append(
      ConsumedRecord(
        topicPartition: topicPartition, offset: offset, timestamp: timestamp, key: message.key, value: message.value,
        packedHeaders: message.packedHeaders))
    return RecordPosition(topicPartition: topicPartition, offset: offset)
  }

  /// Records from `offset` on; from the earliest where the log has no such offset.
  func read(from offset: Int64, maximum: Int) -> ArraySlice<ConsumedRecord> {
    let index = Int(clamped(offset) - start)
    return records[index..<min(records.count, index + max(0, maximum))]
  }

  /// `offset` where the log has it or ends with it, else the earliest: `auto.offset.reset=earliest`.
  func clamped(_ offset: Int64) -> Int64 {
    offset >= start && offset <= end ? offset : start
  }

  /// Drops the records before `offset`, as retention does.
  mutating func truncate(before offset: Int64) {
    let number = Int(min(max(offset, start), end) - start)
    records.removeFirst(number)
    start += Int64(number)
  }
}

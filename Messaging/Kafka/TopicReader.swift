internal import CRDKafka
import Logging
import Messaging
import Synchronization

/// Reads topics from end to end, without a group: joins nothing, commits nothing. For tools.
///
/// Threads: ``read(maximum:timeout:)`` by one thread at a time; everything else from anywhere.
public final class TopicReader: Sendable {
  /// Where to begin.
  public enum Start: Sendable, Hashable {
    /// At the first record that each partition still has.
    case earliest
    /// After everything that is there when the reader is made.
    case end
    /// At these offsets; a partition that is not named, at its first record.
    case offsets([TopicPartition: Int64])
  }

  private struct State {
    /// Nil once closed. Whoever calls the client holds a reference, so it is freed after the last call has returned.
    var queue: EventQueue?
    /// What is left of what was there at the start: up to where, by partition.
    var unread: [TopicPartition: Int64]
  }

  private let state: Mutex<State>
  private let wasWoken = Atomic(false)
  private let logger: Logger

  init(
    configuration: KafkaConfiguration, topics: [String], from start: Start, timeout: Duration, logger: Logger
  ) throws {
    var logger = logger
    logger[metadataKey: "client"] = "reader"
    self.logger = logger
    let properties = try configuration.readerProperties()
    let client = try Client(
      properties.role, properties: properties.properties, events: RD_KAFKA_EVENT_FETCH | RD_KAFKA_EVENT_ERROR,
      log: ClientLog(logger: logger))
    let deadline = Deadline(after: timeout)
    var offsets: [TopicPartition: Int64] = [:]
    var unread: [TopicPartition: Int64] = [:]
    for partition in try client.partitions(of: Set(topics), timeout: timeout) {
      let (first, end) = try client.watermarks(of: partition, timeout: deadline.remaining)
      let offset = start.offset(of: partition, first: first, end: end)
      offsets[partition] = offset
      if offset < end { unread[partition] = end }
    }
    state = Mutex(State(queue: try .consumer(of: client), unread: unread))
    try client.startReading(at: offsets)
  }

  /// Blocks until a record is there, ``wake()`` is called, everything there was has been read, or `timeout` has passed.
  ///
  /// - Returns: at most `maximum` records, each partition's in order.
  /// - Throws: ``BrokerError`` when going on is of no use; passing troubles are logged and waited out.
  public func read(maximum: Int, timeout: Duration) throws -> [ConsumedRecord] {
    guard let queue = state.withLock({ $0.queue }) else { throw BrokerError.closed("reader") }
    defer { wasWoken.store(false, ordering: .releasing) }
    let deadline = Deadline(after: timeout)
    let wasAtEnd = hasReachedEnd
    var records: [ConsumedRecord] = []
    while records.count < max(1, maximum) {
      let isBlocking = records.isEmpty && !wasWoken.load(ordering: .acquiring) && hasReachedEnd == wasAtEnd
      guard let event = queue.poll(timeout: isBlocking ? deadline.remaining : .zero) else { break }
      switch event.type {
      case RD_KAFKA_EVENT_FETCH: event.forEachMessage { records.append(ConsumedRecord($0)) }
      case RD_KAFKA_EVENT_ERROR: try handleError(event)
      default: break
      }
    }
    noteRead(records)
    return records
  }

  /// Everything that was there when the reader was made has been returned by ``read(maximum:timeout:)``.
  public var hasReachedEnd: Bool { state.withLock { $0.unread.isEmpty } }

  /// Makes a ``read(maximum:timeout:)`` that is blocked, or the next one, return at once.
  public func wake() {
    wasWoken.store(true, ordering: .releasing)
    state.withLock { $0.queue }?.yield()
  }

  /// Frees the client. A second call does nothing.
  public func close() {
    let queue = state.withLock { state in
      defer { state.queue = nil }
      return state.queue
    }
    guard let queue else { return }
    queue.client.stopReading()
    queue.yield()
  }

  private func handleError(_ event: QueueEvent) throws(BrokerError) {
    guard let error = event.error else { return }
    // The last offsets of a log may hold no record (a transaction's marks, compaction): its end is told all the same.
    if event.errorCode == RD_KAFKA_RESP_ERR__PARTITION_EOF {
      if let partition = event.partition { state.withLock { $0.unread[partition] = nil } }
      return
    }
    guard error.isRetriable else { throw error }
    logger.warning("The reader has trouble with the broker", metadata: ["error": "\(error)"])
  }

  private func noteRead(_ records: [ConsumedRecord]) {
    guard !records.isEmpty else { return }
    state.withLock { state in
      for record in records {
        guard let end = state.unread[record.topicPartition], record.offset &+ 1 >= end else { continue }
        state.unread[record.topicPartition] = nil
      }
    }
  }
}

extension TopicReader.Start {
  fileprivate func offset(of partition: TopicPartition, first: Int64, end: Int64) -> Int64 {
    switch self {
    case .earliest: first
    case .end: end
    case .offsets(let offsets): min(max(offsets[partition] ?? first, first), end)
    }
  }
}

extension Client {
  fileprivate func partitions(of topics: Set<String>, timeout: Duration) throws -> [TopicPartition] {
    try withMetadata(allTopics: true, timeout: timeout) { metadata in
      var missing = topics
      var partitions: [TopicPartition] = []
      for index in 0..<Int(metadata.topic_cnt) {
        let topic = metadata.topics[index]
        guard !topic.err.isFailure, let name = missing.remove(String(cString: topic.topic)) else { continue }
        partitions += (0..<Int(topic.partition_cnt)).map { TopicPartition(name, topic.partitions[$0].id) }
      }
      guard missing.isEmpty else {
        let names = missing.sorted().joined(separator: ", ")
        throw BrokerError(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, detail: "there is no topic \(names)")
      }
      return partitions
    }
  }

  fileprivate func startReading(at offsets: [TopicPartition: Int64]) throws(BrokerError) {
    let code = call(with: PartitionList(offsets)) { rd_kafka_assign($0, $1) }
    guard !code.isFailure else { throw BrokerError(code, detail: "starting to read: \(code.explanation)") }
  }

  fileprivate func stopReading() {
    withPointer { client in
      _ = rd_kafka_assign(client, nil)
    }
  }
}

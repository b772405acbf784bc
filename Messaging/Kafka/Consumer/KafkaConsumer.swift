internal import CRDKafka
import Logging
import Messaging
import Synchronization

/// A member of a Kafka consumer group.
///
/// Nothing happens to the assignment outside `poll` and `close`: a rebalance that arrives while records are in hand is
/// kept until the next poll, so what was handed out by the last one is handled, and its offsets are stored, before it is
/// answered; what was taken since is left to the partition's next owner.
/// Answering an assignment asks the broker where the partitions stand: while that is away, a poll may take 3 seconds
/// longer than its timeout, also after a wake.
///
/// Sendable without a lock around the fields that belong to the polling thread (the protocol's contract: one thread
/// polls, pauses, seeks and closes); what other threads see is behind `membership`, `live` and `wasWoken`.
final class KafkaConsumer: MessageConsumer, @unchecked Sendable {
  let listener: any PartitionListener
  let logger: Logger
  let topics: [String]
  let group: String
  let membership: Mutex<GroupMembership>
  /// Nil once closed. Whoever calls the client holds a reference, so it is freed after the last call has returned.
  private let live: Mutex<EventQueue?>
  private let wasWoken = Atomic(false)

  // The polling thread's own.
  var pendingRebalances: [QueueEvent] = []
  /// An assignment that could not be answered yet, for want of a broker, is tried again then.
  var nextRebalanceAttempt = ContinuousClock.now
  private var nextTroubleCheck = ContinuousClock.now
  private var fatalError: BrokerError?
  private var isClosing = false

  init(
    configuration: KafkaConfiguration, group: String, topics: [String], listener: any PartitionListener,
    logger: Logger
  ) throws {
    var logger = logger
    logger[metadataKey: "client"] = "consumer"
    logger[metadataKey: "group"] = .string(group)
    let properties = try configuration.consumerProperties(group: group)
    let client = try Client(
      properties.role, properties: properties.properties,
      events: RD_KAFKA_EVENT_FETCH | RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_OFFSET_COMMIT | RD_KAFKA_EVENT_ERROR,
      log: ClientLog(logger: logger))
    self.group = group
    self.topics = topics
    self.listener = listener
    self.logger = logger
    membership = Mutex(GroupMembership(group: group))
    live = Mutex(try .consumer(of: client))
    try client.subscribe(to: topics)
  }

  func poll(maximum: Int, timeout: Duration) throws -> [ConsumedRecord] {
    guard let queue = live.withLock({ $0 }) else { throw BrokerError.closed("consumer") }
    if let fatalError { throw fatalError }
    defer { wasWoken.store(false, ordering: .releasing) }
    let deadline = Deadline(after: timeout)
    var records: [ConsumedRecord] = []
    while records.count < max(1, maximum) {
      if records.isEmpty { answerRebalances(queue.client) }
      guard let event = queue.poll(timeout: records.isEmpty ? wait(until: deadline) : .zero) else {
        if records.isEmpty, !pendingRebalances.isEmpty, !isWoken, !deadline.hasPassed { continue }
        break
      }
      handle(event, records: &records)
      if let fatalError, records.isEmpty { throw fatalError }
      guard pendingRebalances.isEmpty || records.isEmpty else { break }
    }
    membership.withLock { $0.received(records) }
    if records.isEmpty { checkTroubles(queue.client) }
    return records
  }

  func takeFetched(maximum: Int) -> [ConsumedRecord] {
    guard let queue = live.withLock({ $0 }) else { return [] }
    var records: [ConsumedRecord] = []
    // What comes behind a rebalance belongs to the next poll.
    while records.count < maximum, pendingRebalances.isEmpty, let event = queue.poll(timeout: .zero) {
      handle(event, records: &records)
    }
    membership.withLock { $0.received(records) }
    return records
  }

  private var isWoken: Bool { wasWoken.load(ordering: .acquiring) }

  private func wait(until deadline: Deadline) -> Duration {
    guard !isWoken else { return .zero }
    guard !pendingRebalances.isEmpty else { return deadline.remaining }
    return min(deadline.remaining, max(.zero, nextRebalanceAttempt - .now))
  }

  private func handle(_ event: QueueEvent, records: inout [ConsumedRecord]) {
    switch event.type {
    case RD_KAFKA_EVENT_FETCH:
      event.forEachMessage { message in
        guard !message.pointee.err.isFailure else {
          noteTrouble(BrokerError(message.pointee.err), code: message.pointee.err)
          return
        }
        records.append(ConsumedRecord(message))
      }
    case RD_KAFKA_EVENT_REBALANCE:
      pendingRebalances.append(event)
    case RD_KAFKA_EVENT_OFFSET_COMMIT:
      noteCommit(event)
    case RD_KAFKA_EVENT_ERROR:
      guard let error = event.error else { return }
      noteTrouble(error, code: event.errorCode)
      if error.isFatal { fatalError = error }
    default:
      logger.debug("The consumer got an event that it did not ask for", metadata: ["type": "\(event.type)"])
    }
  }

  func noteCommit(_ event: QueueEvent) {
    if let error = event.error {
      // The offsets stay stored, and are committed with the next ones.
      logger.log(
        level: error.isRetriable ? .debug : .warning, "Offsets could not be committed",
        metadata: ["error": "\(error)"])
    }
    let committed = event.partitions.filter { !$0.error.isFailure && $0.offset >= 0 }
    guard event.error == nil, !committed.isEmpty else { return }
    membership.withLock { membership in
      for entry in committed {
        membership.committed(entry.partition, at: entry.offset)
      }
    }
  }

  func store(next: [TopicPartition: Int64]) {
    guard !next.isEmpty, let queue = live.withLock({ $0 }) else { return }
    queue.client.store(next, logger: logger)
  }

  func pause(_ partitions: Set<TopicPartition>) {
    setPaused(true, partitions)
  }

  func resume(_ partitions: Set<TopicPartition>) {
    setPaused(false, partitions)
  }

  private func setPaused(_ isPaused: Bool, _ partitions: Set<TopicPartition>) {
    guard let queue = live.withLock({ $0 }) else { return }
    let changed = membership.withLock { membership in
      let changed = partitions.filter { membership.partitions?[$0].map { $0.isPaused != isPaused } ?? false }
      membership.setPaused(isPaused, changed)
      return changed
    }
    queue.client.setPaused(isPaused, changed)
  }

  func seek(_ partition: TopicPartition, to offset: Int64) throws {
    guard let queue = live.withLock({ $0 }) else { throw BrokerError.closed("consumer") }
    try queue.client.seek(partition, to: offset)
    membership.withLock { $0.moved(partition, to: offset) }
  }

  func wake() {
    wasWoken.store(true, ordering: .releasing)
    live.withLock { $0 }?.yield()
  }

  func status() -> ConsumerStatus {
    let membership = membership.withLock { $0 }
    let queue = live.withLock { $0 }
    return membership.status { partition in queue?.client.cachedEnd(of: partition) }
  }

  func close() {
    guard !isClosing, let queue = live.withLock({ $0 }) else { return }
    // The listener may still store offsets, while it is told of what it has to give up.
    isClosing = true
    // A broker that is there answers in milliseconds; one that is away must not use up the service's time to stop.
    leaveGroup(queue.client, within: .seconds(2))
    live.withLock { $0 = nil }
  }
}

// MARK: - Troubles

extension KafkaConsumer {
  /// Remembers what is wrong for ``ConsumerStatus/trouble``, and says it once.
  private func noteTrouble(_ error: BrokerError, code: rd_kafka_resp_err_t) {
    guard code != RD_KAFKA_RESP_ERR__PARTITION_EOF else { return }
    let isTopics =
      code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC
      || code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION || code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED
    let text = "\(error)"
    let isNew = membership.withLock { membership in
      let field = isTopics ? \GroupMembership.topicTrouble : \.brokerTrouble
      defer { membership[keyPath: field] = text }
      return membership[keyPath: field] != text
    }
    guard isNew else { return }
    logger.log(
      level: error.isFatal ? .error : .warning, "The consumer has trouble with the broker",
      metadata: ["error": .string(text)])
  }

  /// An idle consumer hears nothing when a trouble is over, so it asks: while there is one, at most once a second.
  private func checkTroubles(_ client: Client) {
    let hasTrouble = membership.withLock { $0.brokerTrouble != nil || $0.topicTrouble != nil }
    guard hasTrouble, fatalError == nil, ContinuousClock.now >= nextTroubleCheck else { return }
    nextTroubleCheck = .now + .seconds(1)
    guard let known = try? client.topicsWithoutError(timeout: .milliseconds(500)) else { return }
    let isComplete = topics.allSatisfy { known.contains($0) || $0.hasPrefix("^") }
    membership.withLock { membership in
      membership.brokerTrouble = nil
      if isComplete { membership.topicTrouble = nil }
    }
  }
}

// MARK: - The C calls

extension Client {
  fileprivate func subscribe(to topics: [String]) throws(BrokerError) {
    let code = call(with: PartitionList(topics: topics)) { rd_kafka_subscribe($0, $1) }
    guard !code.isFailure else { throw BrokerError(code, detail: "subscribing to \(topics): \(code.explanation)") }
  }

  /// A partition that is not ours any more is refused by librdkafka: its new owner starts where we stopped.
  fileprivate func store(_ next: [TopicPartition: Int64], logger: Logger) {
    let code = call(with: PartitionList(next)) { rd_kafka_offsets_store($0, $1) }
    guard code.isFailure, code != RD_KAFKA_RESP_ERR__STATE else { return }
    logger.debug("Offsets were not stored", metadata: ["error": "\(BrokerError(code))"])
  }

  func setPaused(_ isPaused: Bool, _ partitions: Set<TopicPartition>) {
    guard !partitions.isEmpty else { return }
    call(with: PartitionList(partitions)) { client, list in
      _ = isPaused ? rd_kafka_pause_partitions(client, list) : rd_kafka_resume_partitions(client, list)
    }
  }

  fileprivate func seek(_ partition: TopicPartition, to offset: Int64) throws(BrokerError) {
    let list = PartitionList([partition: offset])
    if let error = call(with: list, { rd_kafka_seek_partitions($0, $1, 5000) }) {
      throw BrokerError(consuming: error, doing: "seeking \(partition) to \(offset)")
    }
    guard let refused = list.entries.first(where: { $0.error.isFailure }) else { return }
    throw BrokerError(refused.error, detail: "seeking \(partition) to \(offset): \(refused.error.explanation)")
  }

  fileprivate func topicsWithoutError(timeout: Duration) throws -> Set<String> {
    try withMetadata(allTopics: true, timeout: timeout) { metadata in
      var names: Set<String> = []
      for index in 0..<Int(metadata.topic_cnt) {
        let topic = metadata.topics[index]
        if !topic.err.isFailure { names.insert(String(cString: topic.topic)) }
      }
      return names
    }
  }
}

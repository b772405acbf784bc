internal import CRDKafka
import FaultInjection
import Logging
import Messaging
import Synchronization

/// The idempotent producer. A message is reported as failed when no broker took it within `message.timeout.ms`.
final class KafkaProducer: MessageProducer {
  private struct State {
    /// Nil once closed. Whoever calls the client holds a reference, so it is freed after the last call has returned.
    var open: Open?
    /// Reports of messages that the client did not take; they come with the next reports.
    var refused: [DeliveryReport] = []
  }

  private struct Open {
    let queue: EventQueue
    let topics: Topics
  }

  private let state: Mutex<State>
  private let wasWoken = Atomic(false)
  private let logger: Logger

  init(configuration: KafkaConfiguration, logger: Logger) throws {
    var logger = logger
    logger[metadataKey: "client"] = "producer"
    let properties = try configuration.producerProperties()
    let client = try Client(
      properties.role, properties: properties.properties, events: RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR,
      log: ClientLog(logger: logger))
    state = Mutex(State(open: Open(queue: .main(of: client), topics: Topics(of: client))))
    self.logger = logger
  }

  func enqueue(_ messages: [(token: UInt64, message: OutgoingMessage)]) throws -> Int {
    guard let open = state.withLock({ $0.open }) else { throw BrokerError.closed("producer") }
    var refused: [DeliveryReport] = []
    defer { report(refused, on: open.queue) }
    // Those of a topic come in runs.
    var topic: Topic?
    for (index, (token, message)) in messages.enumerated() {
      if index > 0 { Failpoint.producerBetweenMessages.pass() }
      guard let error = open.topics.produce(message, token: token, to: &topic) else { continue }
      switch error.refusal {
      case .queueFull:
        return index
      case .never:
        guard index > 0 else { throw error }
        return index
      case .thisMessage:
        refused.append(DeliveryReport(token: token, result: .failure(error.ofDelivery)))
      }
    }
    return messages.count
  }

  func prepare(for topics: [String]) {
    guard let open = state.withLock({ $0.open }) else { return }
    // A name that is none will be refused with its message.
    for topic in topics { _ = try? open.topics.topic(topic) }
  }

  private func report(_ refused: [DeliveryReport], on queue: EventQueue) {
    guard !refused.isEmpty else { return }
    state.withLock { $0.refused += refused }
    queue.yield()
  }

  func deliveries(timeout: Duration) -> [DeliveryReport] {
    let (queue, refused) = state.withLock { state in
      defer { state.refused = [] }
      return (state.open?.queue, state.refused)
    }
    guard let queue else { return refused }
    var reports = refused
    let deadline = Deadline(after: timeout)
    while reports.count < Self.maximumReports {
      let isBlocking = reports.isEmpty && !wasWoken.load(ordering: .acquiring)
      guard let event = queue.poll(timeout: isBlocking ? deadline.remaining : .zero) else { break }
      read(event, into: &reports)
    }
    wasWoken.store(false, ordering: .releasing)
    return reports
  }

  /// Bounds one call while others go on enqueueing.
  private static let maximumReports = 20_000

  private func read(_ event: QueueEvent, into reports: inout [DeliveryReport]) {
    switch event.type {
    case RD_KAFKA_EVENT_DR:
      let count = reports.count + event.messageCount
      if count > reports.capacity { reports.reserveCapacity(max(count, 2 * reports.capacity)) }
      event.forEachMessage { reports.append(DeliveryReport($0.pointee)) }
    case RD_KAFKA_EVENT_ERROR:
      guard let error = event.error else { return }
      logger.log(
        level: error.isFatal ? .error : .warning, "The producer has trouble with the broker",
        metadata: ["error": "\(error)"])
    default:
      logger.debug("The producer got an event that it did not ask for", metadata: ["type": "\(event.type)"])
    }
  }

  func wake() {
    wasWoken.store(true, ordering: .releasing)
    state.withLock { $0.open }?.queue.yield()
  }

  func close(timeout: Duration) {
    let queue = state.withLock { state in
      defer { state.open = nil }
      return state.open?.queue
    }
    guard let queue else { return }
    let deadline = Deadline(after: timeout)
    while queue.client.hasMessagesInFlight, !deadline.hasPassed {
      _ = queue.poll(timeout: min(deadline.remaining, .milliseconds(50)))
    }
    queue.yield()
  }
}

extension Client {
  fileprivate var hasMessagesInFlight: Bool { withPointer { rd_kafka_outq_len($0) > 0 } }
}

extension Topics {
  /// Hands a message to the client, which copies it. The token travels as the message's opaque.
  ///
  /// The partition is left to the partitioner: a client that names partitions for some messages of a key and none
  /// for others would spread the key over two partitions.
  ///
  /// - Parameter last: the topic of the message before; looked up and kept where this one's is another.
  fileprivate func produce(_ message: OutgoingMessage, token: UInt64, to last: inout Topic?) -> BrokerError? {
    let topic: Topic
    if let last, last.name == message.topic {
      topic = last
    } else {
      do { topic = try self.topic(message.topic) } catch { return error }
      last = topic
    }
    let headers = makeHeaders(message.packedHeaders)
    let error = client.withPointer { client in
      topic.withPointer { topic in
        withBytes(message.key) { key, keySize in
          withBytes(message.value) { value, valueSize in
            withUnsafeTemporaryAllocation(of: rd_kafka_vu_t.self, capacity: 6) { fields in
              fields[0] = field(RD_KAFKA_VTYPE_RKT) { $0.rkt = topic }
              fields[1] = field(RD_KAFKA_VTYPE_MSGFLAGS) { $0.i = RD_KAFKA_MSG_F_COPY }
              fields[2] = field(RD_KAFKA_VTYPE_KEY) {
                $0.mem = .init(ptr: UnsafeMutableRawPointer(mutating: key), size: keySize)
              }
              fields[3] = field(RD_KAFKA_VTYPE_VALUE) {
                $0.mem = .init(ptr: UnsafeMutableRawPointer(mutating: value), size: valueSize)
              }
              fields[4] = field(RD_KAFKA_VTYPE_OPAQUE) { $0.ptr = UnsafeMutableRawPointer(bitPattern: UInt(token)) }
              fields[5] = field(RD_KAFKA_VTYPE_HEADERS) { $0.headers = headers }
              return rd_kafka_produceva(client, fields.baseAddress, headers == nil ? 5 : 6)
            }
          }
        }
      }
    }
    guard let error else { return nil }
    // The client takes the headers over only together with the message.
    if let headers { rd_kafka_headers_destroy(headers) }
    return BrokerError(consuming: error, doing: "producing to \(message.topic)")
  }
}

private func field(
  _ type: rd_kafka_vtype_t, _ set: (inout rd_kafka_vu_s.__Unnamed_union_u) -> Void
) -> rd_kafka_vu_t {
  var field = rd_kafka_vu_t()
  field.vtype = type
  set(&field.u)
  return field
}

extension BrokerError {
  fileprivate enum Refusal {
    case queueFull
    case thisMessage
    case never
  }

  fileprivate var refusal: Refusal {
    if name == RD_KAFKA_RESP_ERR__QUEUE_FULL.name { return .queueFull }
    return isFatal ? .never : .thisMessage
  }

  /// A topic that nobody has heard of may be on its way: made a moment ago, or lost with its broker's data and about
  /// to be made again. Kafka's own client tries again, too.
  fileprivate var ofDelivery: BrokerError {
    var error = self
    if Self.unknownTopic.contains(name) { error.kind = .retriable }
    return error
  }

  private static let unknownTopic: Set = [
    RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC.name, RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION.name,
    RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART.name,
  ]
}

extension DeliveryReport {
  fileprivate init(_ message: rd_kafka_message_t) {
    let token = UInt64(UInt(bitPattern: message._private))
    let partition = TopicPartition(topicName(of: message), message.partition)
    guard message.err.isFailure else {
      let offset = message.offset >= 0 ? message.offset : nil
      self.init(token: token, result: .success(RecordPosition(topicPartition: partition, offset: offset)))
      return
    }
    let error = BrokerError(message.err, detail: "\(partition): \(message.err.explanation)").ofDelivery
    self.init(token: token, result: .failure(error))
  }
}

internal import CRDKafka
import Messaging

/// Owns a `rd_kafka_queue_t`, and keeps its client alive for as long.
///
/// Sendable for the reason that ``Client`` is.
final class EventQueue: @unchecked Sendable {
  let client: Client
  private let pointer: OpaquePointer

  /// A queue of its own, for the answers of admin requests and for the last events of a closing consumer.
  convenience init(of client: Client) {
    self.init(client: client, pointer: client.withPointer { rd_kafka_queue_new($0) })
  }

  /// The queue of delivery reports and errors.
  static func main(of client: Client) -> EventQueue {
    EventQueue(client: client, pointer: client.withPointer { rd_kafka_queue_get_main($0) })
  }

  /// The queue of records, rebalances and everything else of a group member.
  static func consumer(of client: Client) throws(BrokerError) -> EventQueue {
    let pointer = client.withPointer { client in
      // Errors and commit results, which go to the main queue, come this way too.
      rd_kafka_poll_set_consumer(client)
      return rd_kafka_queue_get_consumer(client)
    }
    guard let pointer else { throw BrokerError(RD_KAFKA_RESP_ERR__UNKNOWN_GROUP) }
    return EventQueue(client: client, pointer: pointer)
  }

  private init(client: Client, pointer: OpaquePointer) {
    self.client = client
    self.pointer = pointer
  }

  /// Blocks until an event is there, ``yield()`` is called (also when that was before), or `timeout` has passed.
  func poll(timeout: Duration) -> QueueEvent? {
    defer { extendLifetime(self) }
    guard let event = rd_kafka_queue_poll(pointer, timeout.milliseconds) else { return nil }
    return QueueEvent(event, queue: self)
  }

  /// Makes a poll that is blocked, or the next one, return: librdkafka remembers it in the queue, under its lock.
  func yield() {
    defer { extendLifetime(self) }
    rd_kafka_queue_yield(pointer)
  }

  func withPointer<Result>(_ body: (OpaquePointer) -> Result) -> Result {
    defer { extendLifetime(self) }
    return body(pointer)
  }

  deinit {
    rd_kafka_queue_destroy(pointer)
  }
}

/// Owns a `rd_kafka_event_t`. Belongs to the thread that polled it.
final class QueueEvent {
  let type: Int32
  private let pointer: OpaquePointer
  private let queue: EventQueue

  fileprivate init(_ pointer: OpaquePointer, queue: EventQueue) {
    self.pointer = pointer
    self.queue = queue
    type = Int32(rd_kafka_event_type(pointer))
  }

  /// The pointer, and whatever librdkafka reads out of it, is good until `body` returns.
  func withPointer<Result, Failure: Error>(
    _ body: (OpaquePointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { extendLifetime(self) }
    return try body(pointer)
  }

  /// The event's error; nil when there is none.
  var error: BrokerError? {
    withPointer { event in
      let code = rd_kafka_event_error(event)
      guard code.isFailure else { return nil }
      let isFatal = type == RD_KAFKA_EVENT_ERROR && rd_kafka_event_error_is_fatal(event) != 0
      let text = rd_kafka_event_error_string(event).map { String(cString: $0) }
      return BrokerError(code, detail: text, isFatal: isFatal)
    }
  }

  var errorCode: rd_kafka_resp_err_t { withPointer { rd_kafka_event_error($0) } }

  /// The partitions of a rebalance or of a commit.
  var partitions: [PartitionList.Entry] {
    withPointer { PartitionList.entries(of: rd_kafka_event_topic_partition_list($0)) }
  }

  /// The partition that an error or the end of a partition is about.
  var partition: TopicPartition? {
    withPointer { event in
      guard let found = rd_kafka_event_topic_partition(event) else { return nil }
      defer { rd_kafka_topic_partition_destroy(found) }
      return found.pointee.topic.map { TopicPartition(String(cString: $0), found.pointee.partition) }
    }
  }

  /// How many messages ``forEachMessage(_:)`` will come by.
  var messageCount: Int { withPointer { rd_kafka_event_message_count($0) } }

  /// Calls `body` with each message of a fetch or of a batch of delivery reports.
  func forEachMessage(_ body: (UnsafePointer<rd_kafka_message_t>) -> Void) {
    withPointer { event in
      while let message = rd_kafka_event_message_next(event) {
        body(message)
      }
    }
  }

  deinit {
    rd_kafka_event_destroy(pointer)
  }
}

internal import CRDKafka
import Messaging
import Synchronization

/// The topics that a client has been told of. A client begins to learn where a topic's partitions are when it is told,
/// connects to their leaders, and refreshes what it knows.
final class Topics: Sendable {
  let client: Client
  private let known = Mutex<[String: Topic]>([:])

  init(of client: Client) {
    self.client = client
  }

  /// Tells the client of a topic, if it has not heard of it. Never blocks.
  func topic(_ name: String) throws(BrokerError) -> Topic {
    try known.withLock { known throws(BrokerError) in
      if let topic = known[name] { return topic }
      let topic = try Topic(name, of: client)
      known[name] = topic
      return topic
    }
  }
}

/// Owns a `rd_kafka_topic_t`, and keeps its client alive for as long.
///
/// Sendable for the reason that ``Client`` is.
final class Topic: @unchecked Sendable {
  let name: String
  private let client: Client
  private let pointer: OpaquePointer

  fileprivate init(_ name: String, of client: Client) throws(BrokerError) {
    guard let pointer = client.withPointer({ rd_kafka_topic_new($0, name, nil) }) else {
      throw BrokerError(rd_kafka_last_error(), detail: "a topic named \(name)")
    }
    self.name = name
    self.client = client
    self.pointer = pointer
  }

  /// The pointer is good until `body` returns.
  func withPointer<Result>(_ body: (OpaquePointer) -> Result) -> Result {
    defer { extendLifetime(self) }
    return body(pointer)
  }

  deinit {
    rd_kafka_topic_destroy(pointer)
  }
}

internal import CRDKafka

/// One librdkafka property and its value.
struct ClientProperty: Sendable, Hashable {
  var name: String
  var value: String

  init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}

/// Owns a `rd_kafka_conf_t` until a client is made of it.
struct ClientConfiguration: ~Copyable {
  private let pointer: OpaquePointer

  init() {
    pointer = rd_kafka_conf_new()
  }

  borrowing func set(_ property: ClientProperty) throws(KafkaConfigurationError) {
    let (result, reason) = withErrorText { text, size in
      rd_kafka_conf_set(pointer, property.name, property.value, text, size)
    }
    guard result == RD_KAFKA_CONF_OK else {
      throw KafkaConfigurationError(property: property.name, reason: reason)
    }
  }

  /// Asks for events (`RD_KAFKA_EVENT_...`) on the client's queue instead of callbacks.
  borrowing func setEvents(_ events: Int32) {
    rd_kafka_conf_set_events(pointer, events)
  }

  /// Does not retain `log`: it has to outlive the client.
  borrowing func setLog(_ log: ClientLog) {
    rd_kafka_conf_set_opaque(pointer, Unmanaged.passUnretained(log).toOpaque())
    rd_kafka_conf_set_log_cb(pointer, ClientLog.callback)
  }

  consuming func makeClient(_ role: Client.Role) throws(KafkaConfigurationError) -> OpaquePointer {
    // The client takes its configuration over, and only when it can be made.
    let copy = rd_kafka_conf_dup(pointer)
    TimerSlack.install(in: copy)
    let (client, reason) = withErrorText { text, size in
      rd_kafka_new(role == .producer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER, copy, text, size)
    }
    guard let client else {
      // The copy is left as it is, some kilobytes: librdkafka 2.0.2 may have freed the interceptors that it still names.
      throw KafkaConfigurationError(property: Self.propertyNamed(in: reason), reason: reason)
    }
    return client
  }

  deinit {
    rd_kafka_conf_destroy(pointer)
  }

  /// librdkafka puts the names of properties that do not go together in back quotes.
  private static func propertyNamed(in reason: String) -> String? {
    let parts = reason.split(separator: "`", omittingEmptySubsequences: false)
    return parts.count >= 3 ? String(parts[1]) : nil
  }
}

/// Calls with room for librdkafka's explanation of a failure.
func withErrorText<Result>(
  _ body: (UnsafeMutablePointer<CChar>, Int) -> Result
) -> (result: Result, text: String) {
  withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { buffer in
    buffer.initialize(repeating: 0)
    guard let start = buffer.baseAddress else { preconditionFailure("an allocation of 512 bytes has an address") }
    let result = body(start, buffer.count)
    return (result, String(cString: start))
  }
}

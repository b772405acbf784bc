internal import CRDKafka
import Logging
import Metrics

/// Where a client's own log lines go. librdkafka calls it from its threads; a `Logger` may be used from any.
final class ClientLog: Sendable {
  private let logger: Logger
  /// True for a client whose troubles are nobody's concern: everything it says goes to `trace`.
  private let isQuiet: Bool

  init(logger: Logger, isQuiet: Bool = false) {
    self.logger = logger
    self.isQuiet = isQuiet
  }

  /// The callback for `rd_kafka_conf_set_log_cb`; the configuration's opaque is an unretained `ClientLog`, which the
  /// `Client` keeps for as long as the C client lives.
  static let callback: @convention(c) (OpaquePointer?, Int32, UnsafePointer<CChar>?, UnsafePointer<CChar>?) -> Void = {
    client, level, facility, text in
    guard let client, let opaque = rd_kafka_opaque(client), let text else { return }
    Unmanaged<ClientLog>.fromOpaque(opaque).takeUnretainedValue()
      .write(level: level, facility: facility.map { String(cString: $0) } ?? "", text: String(cString: text))
  }

  private func write(level: Int32, facility: String, text: String) {
    if isOffsetReset(level: level, facility: facility) {
      Counter(label: KafkaMetric.offsetResets, dimensions: [("reason", "out_of_range")]).increment()
    }
    logger.log(
      level: isQuiet ? .trace : Self.level(ofSyslog: level, facility: facility), "The Kafka client reports",
      metadata: ["facility": .string(facility), "report": .string(text)])
  }

  /// Fetching at an offset that the broker no longer has is answered inside librdkafka, by starting at the earliest
  /// record; this line (facility OFFSET, a warning) is its only trace.
  private func isOffsetReset(level: Int32, facility: String) -> Bool {
    level <= 4 && facility == "OFFSET"
  }

  /// A lost connection is an "error" to librdkafka, which mends it alone: a warning here. Errors that nobody mends
  /// come as events and are logged where they are handled.
  /// The warning that an old broker, the embedded one above all, might create topics by itself comes with every
  /// connection and is nothing to act on.
  private static func level(ofSyslog level: Int32, facility: String) -> Logger.Level {
    switch level {
    case _ where facility == "AUTOCREATE": .debug
    case ...2: .error
    case 3, 4: .warning
    case 5, 6: .info
    default: .debug
    }
  }
}

internal import CRDKafka
import Messaging

extension BrokerError {
  /// - Parameter detail: what was being done; librdkafka's own words for the code when nil.
  init(_ code: rd_kafka_resp_err_t, detail: String? = nil, isFatal: Bool = false) {
    self.init(
      kind: isFatal ? .fatal : code.kind,
      name: code.name,
      detail: detail ?? code.explanation)
  }

  /// Reads a `rd_kafka_error_t` that somebody else owns.
  init(reading error: OpaquePointer, doing action: String) {
    let explanation = rd_kafka_error_string(error).map { String(cString: $0) } ?? "no explanation"
    self.init(
      rd_kafka_error_code(error), detail: "\(action): \(explanation)", isFatal: rd_kafka_error_is_fatal(error) != 0)
  }

  /// Takes the error over and frees it.
  init(consuming error: OpaquePointer, doing action: String) {
    self.init(reading: error, doing: action)
    rd_kafka_error_destroy(error)
  }

  /// A call on something that was closed already.
  static func closed(_ what: String) -> BrokerError {
    BrokerError(kind: .fatal, name: "_DESTROY", detail: "the \(what) has been closed")
  }
}

extension rd_kafka_resp_err_t {
  var isFailure: Bool { self != RD_KAFKA_RESP_ERR_NO_ERROR }

  /// Kafka's name of the code, without librdkafka's prefix.
  var name: String { rd_kafka_err2name(self).map { String(cString: $0) } ?? "ERROR_\(rawValue)" }
  var explanation: String { rd_kafka_err2str(self).map { String(cString: $0) } ?? name }

  /// What the code means for whoever gets it, outside of a fatal error, which librdkafka marks by itself.
  var kind: BrokerError.Kind {
    if Self.retriable.contains(rawValue) { return .retriable }
    if Self.fatal.contains(rawValue) { return .fatal }
    if Self.unsupported.contains(rawValue) { return .unsupported }
    return .permanent
  }

  private static func rawValues(_ codes: [rd_kafka_resp_err_t]) -> Set<Int32> { Set(codes.map(\.rawValue)) }

  private static let retriable = rawValues([
    RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR__MSG_TIMED_OUT,
    RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, RD_KAFKA_RESP_ERR__RESOLVE,
    RD_KAFKA_RESP_ERR__WAIT_COORD, RD_KAFKA_RESP_ERR__WAIT_CACHE, RD_KAFKA_RESP_ERR__IN_PROGRESS,
    RD_KAFKA_RESP_ERR__PREV_IN_PROGRESS, RD_KAFKA_RESP_ERR__RETRY, RD_KAFKA_RESP_ERR__INTR,
    RD_KAFKA_RESP_ERR__QUEUE_FULL, RD_KAFKA_RESP_ERR__PURGE_QUEUE, RD_KAFKA_RESP_ERR__PURGE_INFLIGHT,
    RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED, RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST, RD_KAFKA_RESP_ERR__STATE,
    RD_KAFKA_RESP_ERR__OUTDATED, RD_KAFKA_RESP_ERR__NO_OFFSET,
    RD_KAFKA_RESP_ERR__FAIL, RD_KAFKA_RESP_ERR_UNKNOWN, RD_KAFKA_RESP_ERR_INVALID_MSG,
    RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
    RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE,
    RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION,
    RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE,
    RD_KAFKA_RESP_ERR_NOT_COORDINATOR, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
    RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION,
    RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS,
    RD_KAFKA_RESP_ERR_NOT_CONTROLLER, RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
    RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH, RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH,
    RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT,
    RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED,
  ])

  private static let fatal = rawValues([
    RD_KAFKA_RESP_ERR__FATAL, RD_KAFKA_RESP_ERR__FENCED, RD_KAFKA_RESP_ERR__DESTROY,
    RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID,
  ])

  private static let unsupported = rawValues([
    RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE, RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED,
    RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION, RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT,
  ])
}

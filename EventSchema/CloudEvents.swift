import WireFormat

extension Event {
  /// The record's headers: the Kafka binding of CloudEvents 1.0 in binary mode, and W3C trace context.
  ///
  /// - Parameters:
  ///   - source: A URI reference that names the writing service: `/order-service`.
  ///   - trace: The event's own place in the trace in which it came about; left out when nil.
  public func cloudEventHeaders(source: String, trace: TraceContext?) -> [(name: String, value: String)] {
    var headers: [(name: String, value: String)] = [
      ("ce_specversion", "1.0"),
      ("ce_id", envelope.eventID.rawValue),
      ("ce_type", type.rawValue),
      ("ce_source", source),
      ("ce_time", envelope.timestamp.rfc3339),
      ("content-type", "application/json"),
    ]
    if let trace { headers.append((TraceContext.headerName, trace.traceparent)) }
    return headers
  }
}

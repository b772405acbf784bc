extension Event {
  /// The record's headers: the Kafka binding of CloudEvents 1.0 in binary mode, and W3C trace context.
  ///
  /// - Parameters:
  ///   - source: A URI reference that names the writing service: `/order-service`.
  ///   - traceparent: The trace in which the event came about; left out when nil.
  public func cloudEventHeaders(source: String, traceparent: String?) -> [(name: String, value: String)] {
    var headers: [(name: String, value: String)] = [
      ("ce_specversion", "1.0"),
      ("ce_id", envelope.eventID.rawValue),
      ("ce_type", type.rawValue),
      ("ce_source", source),
      ("ce_time", envelope.timestamp.rfc3339),
      ("content-type", "application/json"),
    ]
    if let traceparent { headers.append(("traceparent", traceparent)) }
    return headers
  }
}

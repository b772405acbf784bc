import EventSchema
import Messaging
import WireFormat

extension OutboxMessage {
  /// The event as a record of its topic, under its order's key, with the CloudEvents headers.
  ///
  /// - Parameters:
  ///   - source: who says so: ``ServiceIdentity/eventSource``.
  ///   - trace: the event's own place in the trace in which it came about. It is stored with the event: when the relay
  ///     gets to it, that trace is long over, and others share its batch.
  public init(event: Event, source: String, trace: TraceContext? = nil) {
    self.init(
      eventID: event.envelope.eventID.rawValue, eventType: event.type.rawValue,
      message: OutgoingMessage(
        topic: event.type.topic, key: Array(event.envelope.orderID.rawValue.utf8), value: event.encoded(),
        packedHeaders: PackedHeaders(texts: event.cloudEventHeaders(source: source, trace: trace))))
  }
}

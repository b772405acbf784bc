import EventSchema
import Messaging

extension OutboxMessage {
  /// The event as a record of its topic, under its order's key, with the CloudEvents headers.
  ///
  /// - Parameter source: who says so: ``ServiceIdentity/eventSource``.
  public init(event: Event, source: String, traceparent: String? = nil) {
    self.init(
      eventID: event.envelope.eventID.rawValue, eventType: event.type.rawValue,
      message: OutgoingMessage(
        topic: event.type.topic, key: Array(event.envelope.orderID.rawValue.utf8), value: event.encoded(),
        headers: event.cloudEventHeaders(source: source, traceparent: traceparent).map { Header($0.name, $0.value) }))
  }
}

import EventSchema
import Messaging

/// Tells the messaging library what a record's bytes mean: the contract's section 5, rules 1 and 2.
///
/// On `orders` an event takes its place among the versions of its order, also when this service does nothing for it;
/// on `inventory` versions are those of the events answered, and guarded transitions decide instead.
public struct EventInterpretation: Sendable {
  // A few each, and looked through for every record: a set would hash them.
  private let handled: [EventType]
  private let versionedTopics: [String]

  /// - Parameters:
  ///   - handled: the types that have an effect in this service.
  ///   - versionedTopics: where `order_version` counts up without a gap.
  public init(handling handled: Set<EventType>, versionedTopics: Set<String> = [Topics.orders]) {
    self.handled = Array(handled)
    self.versionedTopics = Array(versionedTopics)
  }

  /// Never fails, whatever the bytes are.
  public func interpret(_ record: ConsumedRecord) -> Interpretation<Event> {
    let isVersioned = versionedTopics.contains(record.topic)
    switch EventCodec.decode(key: record.key, value: record.value) {
    case .event(let event):
      let identity = EventIdentity(
        eventID: event.envelope.eventID.rawValue, eventType: event.type.rawValue,
        key: event.envelope.orderID.rawValue, version: isVersioned ? event.envelope.orderVersion : nil)
      if handled.contains(event.type) { return .event(identity, event) }
      return isVersioned ? .withoutEffect(identity) : .ignored(eventType: event.type.rawValue)
    case .unknownType(let type, let eventID, let orderID, let version):
      guard isVersioned, let eventID, let orderID, let version else { return .ignored(eventType: type) }
      return .withoutEffect(
        EventIdentity(eventID: eventID.rawValue, eventType: type, key: orderID.rawValue, version: version))
    case .unreadable(let reason, let type, let eventID, let orderID, let version):
      return .unreadable(
        UnreadableRecord(
          reason: reason, eventID: eventID?.rawValue, eventType: type, key: orderID?.rawValue,
          version: isVersioned ? version : nil))
    }
  }
}

/// What names an event, and places it among the events of its key.
public struct EventIdentity: Sendable, Hashable {
  public var eventID: String
  public var eventType: String
  /// What the event is about (an order's id): events of one key are handled in the order of their versions.
  public var key: String
  /// 1, 2, 3, ... per key; nil on a topic where guarded transitions decide and nothing is parked.
  public var version: Int64?

  public init(eventID: String, eventType: String, key: String, version: Int64?) {
    self.eventID = eventID
    self.eventType = eventType
    self.key = key
    self.version = version
  }
}

/// What a service makes of a record's bytes. Interpreting never fails and never has an effect.
public enum Interpretation<Event: Sendable>: Sendable {
  /// Handled once.
  case event(EventIdentity, Event)
  /// An event that this service does nothing for. It still takes its place among the versions of its key, so that
  /// the cursor never jumps over a missing one.
  case withoutEffect(EventIdentity)
  /// Not for us, and nothing to keep: counted.
  case ignored(eventType: String?)
  /// A dead letter at once: no attempt can make it readable.
  case unreadable(UnreadableRecord)
}

/// Why a record cannot be read, and what could be made out of it all the same.
public struct UnreadableRecord: Sendable, Hashable {
  /// For people: names the field.
  public var reason: String
  public var eventID: String?
  public var eventType: String?
  public var key: String?
  public var version: Int64?

  public init(
    reason: String, eventID: String? = nil, eventType: String? = nil, key: String? = nil, version: Int64? = nil
  ) {
    self.reason = reason
    self.eventID = eventID
    self.eventType = eventType
    self.key = key
    self.version = version
  }
}

/// A handler throws this when no further attempt can help: the event becomes a dead letter at once.
public struct DeadLetterError: Error, Sendable, Hashable, CustomStringConvertible {
  public var reason: String

  public init(_ reason: String) { self.reason = reason }

  public var description: String { reason }
}

/// A store throws this when the trouble is its own and passes: busy, full, or its disk is not there. What was to be
/// done is tried again until it works; no message is given up for it.
public struct StoreUnavailable: Error, Sendable, Hashable, CustomStringConvertible {
  public var reason: String

  public init(_ reason: String) { self.reason = reason }

  public var description: String { reason }
}

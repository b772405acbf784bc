import WireFormat

/// An event that a consumer group has given up: the exact record, and why.
public struct DeadLetter: Sendable, Hashable {
  public var consumerGroup: String
  /// The event's own id, or a name made of the record's place and content when it has no readable one.
  public var eventID: String
  public var eventType: String?
  /// What parks the key's later events; nil when key or version could not be read.
  public var key: String?
  public var version: Int64?
  public var record: ConsumedRecord
  public var error: String
  public var attempts: Int
  public var redrives: Int
  public var failedAt: Timestamp

  public init(
    consumerGroup: String, eventID: String, eventType: String?, key: String?, version: Int64?,
    record: ConsumedRecord, error: String, attempts: Int, redrives: Int, failedAt: Timestamp
  ) {
    self.consumerGroup = consumerGroup
    self.eventID = eventID
    self.eventType = eventType
    self.key = key
    self.version = version
    self.record = record
    self.error = error
    self.attempts = attempts
    self.redrives = redrives
    self.failedAt = failedAt
  }
}

/// What has been done about a dead letter.
public enum DeadLetterStatus: String, Sendable, Hashable, CaseIterable {
  case open, resolved, discarded
}

/// A dead letter as its group's store keeps it: one per event, however often it is redriven.
public struct KeptDeadLetter: Sendable, Hashable {
  /// Its name at its store.
  public var id: Int64
  public var status: DeadLetterStatus
  /// With the redrives, the error and the attempts of the last time.
  public var letter: DeadLetter

  public init(id: Int64, status: DeadLetterStatus, letter: DeadLetter) {
    self.id = id
    self.status = status
    self.letter = letter
  }
}

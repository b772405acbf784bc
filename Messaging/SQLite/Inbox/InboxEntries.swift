import GRDB
import Messaging
import WireFormat

/// What a group did with an event.
public struct ProcessedEvent: Sendable, Hashable {
  public var consumerGroup: String
  public var identity: EventIdentity
  public var outcome: InboxOutcome
  /// How often it was given back for another try by people.
  public var redrives: Int
  public var topicPartition: TopicPartition
  public var offset: Int64
  public var attempts: Int
  /// When the outcome was reached.
  public var processedAt: Timestamp

  init(_ row: Row) {
    consumerGroup = row["consumer_group"]
    identity = EventIdentity(
      eventID: row["event_id"], eventType: row["event_type"], key: row["event_key"], version: row["version"])
    outcome = InboxOutcome(rawValue: row["outcome"]) ?? .processed
    redrives = row["redrives"]
    topicPartition = TopicPartition(row["topic"], row["partition"])
    offset = row["record_offset"]
    attempts = row["attempts"]
    processedAt = row.moment("processed_at")
  }
}

/// A dead letter as a list shows it: everything but the record's value and headers.
public struct DeadLetterEntry: Sendable, Hashable {
  /// Its name at this store; counts up.
  public var id: Int64
  public var status: DeadLetterStatus
  public var consumerGroup: String
  public var eventID: String
  public var eventType: String?
  public var key: String?
  public var version: Int64?
  public var topicPartition: TopicPartition
  public var offset: Int64
  /// The record's own key, which may be none, or not that of its event.
  public var recordKey: [UInt8]?
  /// In bytes; nil for a null value.
  public var valueSize: Int?
  public var error: String
  public var attempts: Int
  public var redrives: Int
  public var failedAt: Timestamp
  /// When it was resolved or discarded.
  public var resolvedAt: Timestamp?
  /// Why it was discarded.
  public var reason: String?

  init(_ row: Row) {
    id = row["id"]
    status = DeadLetterStatus(rawValue: row["status"]) ?? .open
    consumerGroup = row["consumer_group"]
    eventID = row["event_id"]
    eventType = row["event_type"]
    key = row["event_key"]
    version = row["version"]
    topicPartition = TopicPartition(row["topic"], row["partition"])
    offset = row["record_offset"]
    recordKey = row.bytes("message_key")
    valueSize = row["value_size"]
    error = row["error"]
    attempts = row["attempts"]
    redrives = row["redrives"]
    failedAt = row.moment("failed_at")
    resolvedAt = row.momentIfAny("resolved_at")
    reason = row["reason"]
  }

  /// The columns that ``init(_:)`` reads.
  static let columns = """
    id, status, consumer_group, event_id, event_type, event_key, version, topic, partition, record_offset,
    message_key, length(message_value) AS value_size, error, attempts, redrives, failed_at, resolved_at, reason
    """
}

/// Everything that is known of a dead letter.
public struct DeadLetterDetail: Sendable, Hashable {
  public var entry: DeadLetterEntry
  /// The exact bytes.
  public var record: ConsumedRecord
  /// Later events of its key that wait in the store, by version; at most as many as were asked for.
  public var parkedBehind: [ParkedEntry]
  /// How many they are in all.
  public var parkedBehindCount: Int
  /// What people did about it, oldest first.
  public var audit: [DeadLetterAudit]
}

extension DeadLetterAudit {
  init(_ row: Row) {
    self.init(
      Action(rawValue: row["action"]) ?? .redrive, Outcome(rawValue: row["outcome"]) ?? .resolved,
      by: Requester(name: row["requester"], reason: row["reason"]), at: row.moment("at"),
      deadLetterID: row["dead_letter_id"], key: row["event_key"], detail: row["detail"])
  }
}

/// A parked record, and what it waits for.
public struct ParkedEntry: Sendable, Hashable {
  public var identity: EventIdentity
  public var topicPartition: TopicPartition
  public var offset: Int64
  /// In bytes; nil for a null value.
  public var valueSize: Int?
  public var parkedAt: Timestamp
  /// The version that its key has to see next.
  public var waitingForVersion: Int64
  /// The open dead letter that stands in the way; nil when the version has never come (a gap), or is itself parked: then
  /// it has become next and is about to be handled.
  public var deadLetterID: Int64?
  /// It was given up by people, and takes its place in its turn without an effect.
  public var isDiscarded: Bool
  /// How many attempts have failed since it became next.
  public var attempts: Int
  /// What the last of them failed with.
  public var error: String?

  init(_ row: Row) {
    identity = EventIdentity(
      eventID: row["event_id"], eventType: row["event_type"], key: row["event_key"], version: row["version"])
    topicPartition = TopicPartition(row["topic"], row["partition"])
    offset = row["record_offset"]
    valueSize = row["value_size"]
    parkedAt = row.moment("parked_at")
    waitingForVersion = row["waiting_for"]
    deadLetterID = row["dead_letter_id"]
    isDiscarded = row["is_discarded"]
    attempts = row["attempts"]
    error = row["error"]
  }
}

/// Where a page of parked records ended.
public struct ParkedPosition: Sendable, Hashable {
  public var key: String
  public var version: Int64
  public var eventID: String

  public init(key: String, version: Int64, eventID: String) {
    self.key = key
    self.version = version
    self.eventID = eventID
  }

  public init(_ entry: ParkedEntry) {
    self.init(key: entry.identity.key, version: entry.identity.version ?? 0, eventID: entry.identity.eventID)
  }
}

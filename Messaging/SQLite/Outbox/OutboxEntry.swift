import GRDB
import Messaging
import WireFormat

/// A row of the outbox as people want to see it: everything but the message's value and headers.
public struct OutboxEntry: Sendable, Hashable {
  /// Where and when a row was published last.
  public struct Publication: Sendable, Hashable {
    public var at: Timestamp
    public var topicPartition: TopicPartition
    /// Nil where the broker acknowledged without naming it.
    public var offset: Int64?
    /// The epoch in which it was.
    public var epoch: Int64
  }

  public var sequence: Int64
  public var eventID: String
  public var eventType: String
  public var topic: String
  public var key: [UInt8]?
  /// In bytes; nil for a null value.
  public var valueSize: Int?
  public var createdAt: Timestamp
  /// Nil while the row waits for its publication.
  public var publication: Publication?

  init(_ row: Row) {
    sequence = row["sequence"]
    eventID = row["event_id"]
    eventType = row["event_type"]
    topic = row["topic"]
    key = row.bytes("message_key")
    valueSize = row["value_size"]
    createdAt = row.moment("created_at")
    publication = row.momentIfAny("published_at").map { moment in
      Publication(
        at: moment, topicPartition: TopicPartition(row["topic"], row["published_partition"] ?? 0),
        offset: row["published_offset"], epoch: row["publish_epoch"] ?? 0)
    }
  }

  /// The columns that ``init(_:)`` reads.
  static let columns = """
    sequence, event_id, event_type, topic, message_key, length(message_value) AS value_size, created_at, published_at,
    published_partition, published_offset, publish_epoch
    """
}

/// Which rows of the outbox to list; every condition that is not nil has to hold.
public struct OutboxFilter: Sendable, Hashable {
  /// The message key: an order's id.
  public var key: String?
  /// True for what was published, false for what waits.
  public var isPublished: Bool?

  public init(key: String? = nil, isPublished: Bool? = nil) {
    self.key = key
    self.isPublished = isPublished
  }
}

/// How an outbox stands.
public struct OutboxSummary: Sendable, Hashable {
  /// Rows that wait for their publication.
  public var unpublished: Int
  /// When the oldest of them was appended.
  public var oldestUnpublished: Timestamp?
  /// The highest sequence ever given: how many messages were appended since the store was made.
  public var lastSequence: Int64
  /// Goes up when everything within retention has to be published again.
  public var publishEpoch: Int64
  /// Whether all of that counts among the `unpublished`; until then nothing is published.
  public var isEpochReady: Bool
  /// The cluster that was published to; nil before the first time.
  public var clusterID: String?
  /// The relay that holds the lease, or held it last; nil when it was given back.
  public var leaseHolder: String?
  public var leaseExpiresAt: Timestamp?
}

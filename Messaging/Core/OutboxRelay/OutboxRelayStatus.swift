/// A snapshot of an ``OutboxRelay``.
public struct OutboxRelayStatus: Sendable, Hashable {
  /// Nil while another relay has it, or none.
  public var lease: RelayLease?
  /// Whether the broker answered when it was asked last.
  public var isBrokerReachable = false
  /// Messages handed to the producer and not reported yet.
  public var inFlight = 0
  /// Rows in memory that are not marked published yet, `inFlight` included.
  public var inMemory = 0
  /// Rows in the store that are not published yet, as counted some seconds ago; nil where the store cannot tell.
  public var unpublished: Int?
  /// Keys that wait because the broker refuses a row of theirs for good.
  public var refusedKeys = 0
  /// Rows acknowledged since the start of this relay.
  public var published = 0
  /// The trouble that keeps rows from being published now, nil when there is none.
  public var trouble: String?

  public init() {}

  /// Whether this relay is the one that publishes.
  public var holdsLease: Bool { lease != nil }
}

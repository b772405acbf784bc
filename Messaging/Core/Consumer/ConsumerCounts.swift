/// What a consumer has done with the records it was given.
public struct ConsumerCounts: Sendable, Hashable {
  /// Records taken off the topic and dealt with, in whatever way.
  public var consumed = 0
  /// Events whose handler ran and whose effect is committed, parked ones included.
  public var handled = 0
  /// Events that took their place among the versions of their key, and that this group does nothing for.
  public var withoutEffect = 0
  /// Events with a row already, whatever came of them the first time.
  public var duplicates = 0
  /// Versions at or below the cursor that were no duplicates.
  public var stale = 0
  /// Events kept in the store until the versions before them have come.
  public var parked = 0
  /// Not for this group.
  public var ignored = 0
  /// Events and unreadable records that were given up.
  public var deadLettered = 0
  /// Attempts that failed and are followed by another.
  public var retries = 0

  public init() {}

  static func += (left: inout ConsumerCounts, right: ConsumerCounts) {
    left.consumed += right.consumed
    left.handled += right.handled
    left.withoutEffect += right.withoutEffect
    left.duplicates += right.duplicates
    left.stale += right.stale
    left.parked += right.parked
    left.ignored += right.ignored
    left.deadLettered += right.deadLettered
    left.retries += right.retries
  }
}

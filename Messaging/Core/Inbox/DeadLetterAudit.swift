import WireFormat

/// Who wants a dead letter or a gap to be dealt with, and why.
public struct Requester: Sendable, Hashable {
  public var name: String
  public var reason: String?

  public init(name: String, reason: String? = nil) {
    self.name = name
    self.reason = reason
  }
}

/// What people did about a dead letter or a gap; written in the transaction that did it.
public struct DeadLetterAudit: Sendable, Hashable {
  public enum Action: String, Sendable, Hashable, CaseIterable {
    case redrive, discard
    case discardGap = "discard_gap"
  }

  public enum Outcome: String, Sendable, Hashable, CaseIterable {
    case resolved, discarded
    case failedAgain = "failed_again"
  }

  public var action: Action
  public var outcome: Outcome
  public var requester: Requester
  public var at: Timestamp
  /// Nil for a gap.
  public var deadLetterID: Int64?
  public var key: String?
  /// The error of a redrive that failed, or the versions that were given up.
  public var detail: String?

  public init(
    _ action: Action, _ outcome: Outcome, by requester: Requester, at: Timestamp, deadLetterID: Int64?, key: String?,
    detail: String? = nil
  ) {
    self.action = action
    self.outcome = outcome
    self.requester = requester
    self.at = at
    self.deadLetterID = deadLetterID
    self.key = key
    self.detail = detail
  }
}

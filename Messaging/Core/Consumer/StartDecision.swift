import FaultInjection

/// Where reading a partition begins: at the lower of what the store has recorded in its transactions and what the
/// group has committed. Whatever of the two is missing or impossible, at the earliest record: what was handled already
/// is dropped as a duplicate, and nothing is missed.
struct StartDecision: Sendable, Hashable {
  enum Reason: String, Sendable, Hashable {
    case resumed = "goes on where it stopped"
    case notInStore = "the store has no offset for it"
    case notCommitted = "the group has no committed offset for it"
    case outOfRange = "its log does not have the offset any more"
    case storeUnreadable = "the store could not be read"
  }

  var start: StartOffset
  var reason: Reason

  /// - Parameter stored: nil where the store has no row.
  init(stored: Int64?, state: CommittedState) {
    start = Mutation.startAtLatest.isOn ? .offset(state.logEnd) : .earliest
    guard let stored else {
      reason = .notInStore
      return
    }
    guard let committed = state.committed else {
      reason = .notCommitted
      return
    }
    let next = Mutation.startAtCommittedOffset.isOn ? committed : min(stored, committed)
    guard next >= state.logStart, next <= state.logEnd else {
      reason = .outOfRange
      return
    }
    start = .offset(next)
    reason = .resumed
  }

  /// The earliest record, because the store cannot be asked.
  static let storeUnreadable = StartDecision()

  private init() {
    start = .earliest
    reason = .storeUnreadable
  }
}

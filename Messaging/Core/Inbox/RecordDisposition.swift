import FaultInjection

/// Where an event stands among the events of its key.
enum EventPlace: Sendable, Hashable {
  /// Its topic knows no order: guarded transitions decide.
  case unordered
  /// At or below the version that was handled last.
  case stale
  case next
  /// An earlier version is missing.
  case ahead

  init(version: Int64?, cursor: Int64) {
    guard let version else {
      self = .unordered
      return
    }
    // Compared by subtraction after the order is known: a version comes from outside and may be the largest number.
    if version <= cursor {
      self = .stale
    } else {
      self = version - max(cursor, 0) > 1 && !Mutation.cursorJumpsGap.isOn ? .ahead : .next
    }
  }
}

/// What becomes of an event, as the contract's section 5 has it: rules 3 and 4, in this order.
enum RecordDisposition: Sendable, Hashable {
  /// There is a row for its id, whatever came of it: dropped.
  case duplicate
  /// Its version was passed long ago: dropped.
  case stale
  /// Kept in the store until the versions before it have come.
  case park
  /// Handled now; the cursor moves, and parked successors follow.
  case handle
}

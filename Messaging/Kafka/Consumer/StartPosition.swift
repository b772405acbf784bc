import Messaging

/// Where a partition that was assigned starts, and what is strange about it.
struct StartPosition: Equatable {
  enum Strangeness: Equatable {
    /// The log is shorter than what was read of it: the broker lost its data, or the topic was made anew.
    case beyondEnd
    /// The log's retention has removed records that were never read.
    case beforeStart
  }

  var offset: Int64
  /// Set where the wanted offset is not in the log; reading starts at the earliest record then.
  var strangeness: Strangeness?

  /// - Parameter wanted: the listener's decision; nil leaves it to what the group has committed.
  init(wanted: StartOffset?, in state: CommittedState) {
    let offset: Int64?
    switch wanted {
    case .earliest: offset = nil
    case .offset(let explicit): offset = explicit
    case nil: offset = state.committed
    }
    guard let offset else {
      self.offset = state.logStart
      return
    }
    if offset > state.logEnd {
      self.offset = state.logStart
      strangeness = .beyondEnd
    } else if offset < state.logStart {
      self.offset = state.logStart
      strangeness = .beforeStart
    } else {
      self.offset = offset
    }
  }
}

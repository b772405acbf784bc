import Foundation
import GRDB
import Synchronization

/// How the writer's connection waits for a lock that another process has.
///
/// Such a lock wakes nobody, so SQLite has to ask again and again. Its own waiting grows to a tenth of a second between
/// two questions and can starve beside a process that commits without a pause; this one asks every half millisecond.
final class BusyWait: Sendable {
  private struct State {
    var patience: Duration
    var since = ContinuousClock.now
  }

  private let state: Mutex<State>

  init(patience: Duration) {
    state = Mutex(State(patience: patience))
  }

  var callback: Database.BusyCallback {
    { [self] tries in
      guard isPatient(afterTries: tries) else { return false }
      // Jitter, or two processes that started together would ask together for ever.
      Thread.sleep(forTimeInterval: tries < 8 ? 0.000_1 : Double.random(in: 0.000_3...0.000_7))
      return true
    }
  }

  /// Runs `body` with another patience. By the writer's thread only.
  func withPatience<R>(_ patience: Duration, _ body: () throws -> R) rethrows -> R {
    let usual = state.withLock { state in
      defer { state.patience = patience }
      return state.patience
    }
    defer { state.withLock { $0.patience = usual } }
    return try body()
  }

  private func isPatient(afterTries tries: Int) -> Bool {
    state.withLock { state in
      let now = ContinuousClock.now
      if tries == 0 { state.since = now }
      return now - state.since < state.patience
    }
  }
}

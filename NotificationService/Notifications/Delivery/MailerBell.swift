import Messaging
import Synchronization

/// Wakes the lanes of a mailer, and tells them when to stop. One lane comes for each ring.
///
/// Threads: any.
final class MailerBell: Sendable {
  private struct State {
    var hasMails = false
    /// When a mail in hand has to be broken off.
    var end: Duration?
  }

  private let state = Mutex(State())
  private let signal = WakeSignal()
  private let clocks: Clocks

  init(clocks: Clocks) {
    self.clocks = clocks
  }

  /// Mails have been written.
  func ring() {
    state.withLock { $0.hasMails = true }
    signal.wake()
  }

  /// Every lane is to come to its end, and a mail in hand to be broken off after `grace`.
  func stop(after grace: Duration) {
    state.withLock { $0.end = min($0.end ?? .seconds(Int.max), clocks.elapsed() + grace) }
    signal.wake()
  }

  var isStopping: Bool { state.withLock { $0.end != nil } }

  /// Whether a mail in hand has to be broken off.
  var isInterrupted: Bool {
    guard let end = state.withLock({ $0.end }) else { return false }
    return clocks.elapsed() >= end
  }

  /// Whether mails have been written since a lane asked.
  func takeRing() -> Bool {
    let (hasMails, isStopping) = state.withLock { state in
      defer { state.hasMails = false }
      return (state.hasMails, state.end != nil)
    }
    // The other lanes have to hear of a stop too.
    if isStopping { signal.wake() }
    return hasMails
  }

  func wait(atMost timeout: Duration) {
    signal.wait(atMost: timeout)
  }
}

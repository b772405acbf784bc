import Messaging
import Synchronization
import WireFormat

/// The time of a run: it moves only when the simulation moves it, and its time of day may jump, as clocks do that are set.
final class SimulatedClock: Sendable {
  private let clock = ManualClock()
  private let deviation = Mutex<Duration>(.zero)

  /// Since the run began.
  var now: Duration { clock.now }

  func advance(by duration: Duration) {
    clock.advance(by: duration)
  }

  /// Sets the time of day; the time that passes goes on as before.
  func jump(by duration: Duration) {
    deviation.withLock { $0 += duration }
  }

  var clocks: Clocks {
    let right = clock.clocks
    return Clocks(elapsed: right.elapsed, wall: { right.wall() + self.deviation.withLock { $0 } })
  }
}

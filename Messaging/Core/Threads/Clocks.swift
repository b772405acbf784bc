import Synchronization
import WireFormat

/// The time, as a value that is passed in. State machines never read a clock: they are told.
public struct Clocks: Sendable {
  /// Time since some fixed moment; never jumps, and counts while the machine sleeps.
  public var elapsed: @Sendable () -> Duration
  /// The time of day, for people.
  public var wall: @Sendable () -> Timestamp

  public init(elapsed: @escaping @Sendable () -> Duration, wall: @escaping @Sendable () -> Timestamp) {
    self.elapsed = elapsed
    self.wall = wall
  }

  /// The clocks of this machine.
  public static let system: Clocks = {
    let start = ContinuousClock.now
    return Clocks(elapsed: { ContinuousClock.now - start }, wall: { Timestamp.now() })
  }()
}

/// A clock that stands still until it is moved, for tests and simulations.
///
/// Threads: any. Who waits for it has to be woken by its own wake call: moving the clock wakes nobody.
public final class ManualClock: Sendable {
  private let time: Mutex<Duration>
  private let start: Timestamp

  public init(startingAt start: Timestamp = Timestamp(millisecondsSinceEpoch: 1_795_378_867_123)) {
    self.time = Mutex(.zero)
    self.start = start
  }

  /// Time since this clock was made.
  public var now: Duration { time.withLock { $0 } }

  /// Moves both clocks, that of the day as well.
  public func advance(by duration: Duration) {
    time.withLock { $0 += duration }
  }

  /// What to pass to whom this clock is to drive.
  public var clocks: Clocks {
    Clocks(elapsed: { self.now }, wall: { self.start + self.now })
  }
}

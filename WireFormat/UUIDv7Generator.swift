import Synchronization

/// Makes identifiers of RFC 9562, version 7, each higher than the one before, whatever the clock does.
///
/// Thread-safe; copies share their state. Identifiers of one generator never repeat and ascend strictly, so a process
/// that wants its own to do so makes one generator. Within a millisecond a 12-bit counter counts up from a random
/// start; when it is full, or the clock has gone back, the time field runs ahead of the clock.
public struct UUIDv7Generator: Sendable {
  private final class Shared: Sendable {
    let state = Mutex(State())
  }

  private struct State {
    var milliseconds: UInt64 = 0
    var counter = Self.highestCounter

    static let highestCounter: UInt16 = 0xFFF

    mutating func advance(to now: UInt64) -> (milliseconds: UInt64, counter: UInt16) {
      if now > milliseconds {
        milliseconds = now
        counter = .random(in: 0...Self.highestCounter / 2)
      } else if counter < Self.highestCounter {
        counter += 1
      } else {
        milliseconds += 1
        counter = .random(in: 0...Self.highestCounter / 2)
      }
      return (milliseconds, counter)
    }
  }

  private let shared = Shared()

  /// A generator that knows of no other.
  public init() {}

  /// A new identifier, 36 characters in lower case, made at `moment` as the clock shows it.
  public func next(at moment: Timestamp) -> String {
    let now = UUIDv7.timeField(of: moment)
    let (milliseconds, counter) = shared.state.withLock { $0.advance(to: now) }
    return UUIDv7.text(milliseconds: milliseconds, counter: counter, tail: .random(in: 0...UInt64.max))
  }
}

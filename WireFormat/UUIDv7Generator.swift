import Synchronization

/// Makes identifiers of RFC 9562, version 7, each higher than the one before, whatever the clock does.
///
/// Thread-safe; copies share their state. Identifiers of one generator never repeat and ascend strictly, so a process
/// that wants its own to do so makes one generator. Within a millisecond a 12-bit counter counts up from a random
/// start; when it is full, or the clock has gone back, the time field runs ahead of the clock.
public struct UUIDv7Generator: Sendable {
  private final class Shared: Sendable {
    let state: Mutex<State>

    init(_ random: any RandomNumberGenerator & Sendable) { state = Mutex(State(random: random)) }
  }

  private struct State {
    var random: any RandomNumberGenerator & Sendable
    var milliseconds: UInt64 = 0
    var counter = Self.highestCounter

    static let highestCounter: UInt16 = 0xFFF

    mutating func next(at now: UInt64) -> (milliseconds: UInt64, counter: UInt16, tail: UInt64) {
      if now > milliseconds {
        milliseconds = now
        counter = .random(in: 0...Self.highestCounter / 2, using: &random)
      } else if counter < Self.highestCounter {
        counter += 1
      } else {
        milliseconds += 1
        counter = .random(in: 0...Self.highestCounter / 2, using: &random)
      }
      return (milliseconds, counter, random.next())
    }
  }

  private let shared: Shared

  /// A generator that knows of no other, and whose identifiers nobody can guess.
  public init() {
    self.init(random: BufferedSystemRandom())
  }

  /// A generator for simulations, whose identifiers follow from `random`.
  public init(random: any RandomNumberGenerator & Sendable) {
    shared = Shared(random)
  }

  /// A new identifier, 36 characters in lower case, made at `moment` as the clock shows it.
  public func next(at moment: Timestamp) -> String {
    let now = UUIDv7.timeField(of: moment)
    let (milliseconds, counter, tail) = shared.state.withLock { $0.next(at: now) }
    return UUIDv7.text(milliseconds: milliseconds, counter: counter, tail: tail)
  }

  /// A place of its own in `trace`, for something that came about there; in a new trace where there was none.
  public func next(in trace: TraceContext?) -> TraceContext {
    shared.state.withLock { state in
      guard let trace else { return .new(using: &state.random) }
      return trace.child(using: &state.random)
    }
  }
}

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A moment in UTC, to the millisecond.
public struct Timestamp: Sendable, Hashable, Comparable {
  /// Milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
  public var millisecondsSinceEpoch: Int64

  /// The moment so many milliseconds after 1970-01-01T00:00:00Z; before it when negative.
  public init(millisecondsSinceEpoch: Int64) {
    self.millisecondsSinceEpoch = millisecondsSinceEpoch
  }

  /// The wall clock, which may jump in either direction.
  public static func now() -> Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(millisecondsSinceEpoch: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
  }

  /// Earlier comes first.
  public static func < (left: Timestamp, right: Timestamp) -> Bool {
    left.millisecondsSinceEpoch < right.millisecondsSinceEpoch
  }
}

extension Timestamp {
  /// Fractions of a millisecond are dropped; at the ends of the range it stops instead of overflowing.
  public static func + (left: Timestamp, right: Duration) -> Timestamp {
    Timestamp(millisecondsSinceEpoch: left.millisecondsSinceEpoch.addingSaturated(right.wholeMilliseconds))
  }

  /// Fractions of a millisecond are dropped; at the ends of the range it stops instead of overflowing.
  public static func - (left: Timestamp, right: Duration) -> Timestamp {
    let milliseconds = right.wholeMilliseconds
    let negated = milliseconds == .min ? .max : -milliseconds
    return Timestamp(millisecondsSinceEpoch: left.millisecondsSinceEpoch.addingSaturated(negated))
  }

  /// The time from `right` to `left`; negative when `right` is later.
  public static func - (left: Timestamp, right: Timestamp) -> Duration {
    .milliseconds(left.millisecondsSinceEpoch) - .milliseconds(right.millisecondsSinceEpoch)
  }

  /// Moves `left` later, as `+` does.
  public static func += (left: inout Timestamp, right: Duration) { left = left + right }
  /// Moves `left` earlier, as `-` does.
  public static func -= (left: inout Timestamp, right: Duration) { left = left - right }
}

extension Duration {
  fileprivate var wholeMilliseconds: Int64 {
    let (seconds, attoseconds) = components
    let (milliseconds, overflows) = seconds.multipliedReportingOverflow(by: 1000)
    guard !overflows else { return seconds < 0 ? .min : .max }
    return milliseconds.addingSaturated(attoseconds / 1_000_000_000_000_000)
  }
}

extension Int64 {
  fileprivate func addingSaturated(_ other: Int64) -> Int64 {
    let (sum, overflows) = addingReportingOverflow(other)
    guard overflows else { return sum }
    return other < 0 ? .min : .max
  }
}

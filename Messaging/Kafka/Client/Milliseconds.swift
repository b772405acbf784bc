extension Duration {
  /// Whole milliseconds as librdkafka's calls want them: rounded up, never negative (which would mean "for ever"),
  /// at most an hour.
  var milliseconds: Int32 {
    guard self > .zero else { return 0 }
    guard self < .seconds(3600) else { return 3_600_000 }
    let (seconds, attoseconds) = components
    return Int32(seconds) * 1000 + Int32((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
  }
}

/// A moment up to which a call may block.
struct Deadline {
  private let instant: ContinuousClock.Instant

  init(after timeout: Duration) {
    instant = ContinuousClock.now + min(max(timeout, .zero), .seconds(3600))
  }

  var remaining: Duration { max(.zero, instant - ContinuousClock.now) }
  var hasPassed: Bool { ContinuousClock.now >= instant }
}

/// Lets a few notices of a kind through in a stretch of time, and counts the others: a topic full of garbage must not
/// become a log full of it.
struct NoticeThrottle: Sendable {
  static let burst = 10
  static let stretch = Duration.seconds(10)

  private var begin: Duration?
  private var admitted = 0
  private var leftOut = 0

  /// Whether the notice may be written; otherwise it counts for the next ``summary(at:)``.
  mutating func admits(at now: Duration) -> Bool {
    if now - (begin ?? now) >= Self.stretch, leftOut == 0 { begin = nil }
    if begin == nil {
      begin = now
      admitted = 0
    }
    guard admitted < Self.burst else {
      leftOut += 1
      return false
    }
    admitted += 1
    return true
  }

  /// How many were left out, once the stretch is over; nil where there is nothing to say.
  mutating func summary(at now: Duration) -> Int? {
    guard let begin, now - begin >= Self.stretch, leftOut > 0 else { return nil }
    defer { self = NoticeThrottle() }
    return leftOut
  }
}

/// How often something is tried, and how long to wait in between: exponential back-off with full jitter
/// (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
public struct RetryPolicy: Sendable, Hashable {
  /// Attempts in all, the first included; at least 1.
  public var maxAttempts: Int
  public var initialBackoff: Duration
  public var maxBackoff: Duration

  public init(
    maxAttempts: Int = 3, initialBackoff: Duration = .milliseconds(100), maxBackoff: Duration = .seconds(10)
  ) {
    self.maxAttempts = max(1, maxAttempts)
    self.initialBackoff = initialBackoff
    self.maxBackoff = maxBackoff
  }

  /// The pause after `attempt` has failed (the first is 1): anything from nothing to the attempt's ceiling, so that
  /// many who failed together do not come back together.
  public func backoff(afterAttempt attempt: Int, using random: inout some RandomNumberGenerator) -> Duration {
    let ceiling = ceiling(afterAttempt: attempt)
    return ceiling * Double.random(in: 0...1, using: &random)
  }

  /// The longest pause that may follow `attempt`.
  public func ceiling(afterAttempt attempt: Int) -> Duration {
    let doublings = min(max(attempt - 1, 0), 30)
    return min(maxBackoff, initialBackoff * (1 << doublings))
  }
}

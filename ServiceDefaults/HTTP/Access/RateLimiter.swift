import Synchronization

/// Counts each client's requests against its allowance: so many a second, and as many at once after a second of rest.
///
/// A client that has rested is forgotten, so memory follows those who ask now, not all who ever asked.
final class RateLimiter: Sendable {
  /// Full when a client comes, one less with each request.
  private struct Allowance {
    var left: Double
    var at: ContinuousClock.Instant
  }

  private struct State {
    var allowances: [String: Allowance] = [:]
    var sweepAt = RateLimiter.firstSweep
  }

  private static let firstSweep = 1024

  private let rate: Double
  private let now: @Sendable () -> ContinuousClock.Instant
  private let state = Mutex(State())

  init(requestsPerSecond: Int, now: @escaping @Sendable () -> ContinuousClock.Instant) {
    rate = Double(requestsPerSecond)
    self.now = now
  }

  /// Counts a request.
  ///
  /// - Returns: nil when it may pass, else the whole seconds after which one will.
  func refusal(of client: String) -> Int? {
    let now = now()
    return state.withLock { state in
      var allowance = state.allowances[client] ?? Allowance(left: rate, at: now)
      allowance.left = min(rate, allowance.left + rate * ((now - allowance.at) / .seconds(1)))
      allowance.at = now
      let passes = allowance.left >= 1
      if passes { allowance.left -= 1 }
      state.allowances[client] = allowance
      forgetTheRested(&state, now)
      return passes ? nil : max(1, Int(((1 - allowance.left) / rate).rounded(.up)))
    }
  }

  /// How many clients are remembered.
  var remembered: Int { state.withLock { $0.allowances.count } }

  private func forgetTheRested(_ state: inout State, _ now: ContinuousClock.Instant) {
    guard state.allowances.count >= state.sweepAt else { return }
    state.allowances = state.allowances.filter { $0.value.left + rate * ((now - $0.value.at) / .seconds(1)) < rate }
    state.sweepAt = max(Self.firstSweep, 2 * state.allowances.count)
  }
}

/// Lets work pass at so many steps a second, evenly; as fast as it comes without a rate.
struct Pace: Sendable {
  private let interval: Duration?
  private var next: ContinuousClock.Instant?

  /// - Parameter rate: steps a second, above 0.
  init(rate: Double?) {
    interval = rate.map { .seconds(1) / $0 }
  }

  /// Waits until the next `steps` may be taken. The first ones may at once.
  mutating func wait(for steps: Int = 1) async throws {
    guard let interval else { return }
    if let next { try await Task.sleep(until: next, clock: .continuous) }
    next = max(.now, next ?? .now) + interval * steps
  }
}

/// How long to wait before a child that died is started again: 100 ms, doubling to a maximum (10 s), from the beginning
/// once it has lived for 30 s.
struct RestartPolicy: Sendable, Hashable {
  static let initialDelay = Duration.milliseconds(100)
  static let healthyLife = Duration.seconds(30)

  let maximumDelay: Duration
  /// Deaths without a healthy life between them.
  private(set) var deathsInARow = 0
  private var nextDelay = initialDelay

  init(maximumDelay: Duration = .seconds(10)) {
    self.maximumDelay = maximumDelay
  }

  /// Takes note of a death after a life of `lifetime`; returns how long to wait.
  mutating func delay(afterLifeOf lifetime: Duration) -> Duration {
    if lifetime >= Self.healthyLife { self = RestartPolicy(maximumDelay: maximumDelay) }
    deathsInARow += 1
    let delay = nextDelay
    nextDelay = min(nextDelay * 2, maximumDelay)
    return delay
  }
}

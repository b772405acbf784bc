/// How long to wait before a child that died is started again: 100 ms, doubling to 10 s, from the beginning once it
/// has lived for 30 s.
struct RestartPolicy: Sendable, Hashable {
  static let initialDelay = Duration.milliseconds(100)
  static let maximumDelay = Duration.seconds(10)
  static let healthyLife = Duration.seconds(30)

  /// Deaths without a healthy life between them.
  private(set) var deathsInARow = 0
  private var nextDelay = initialDelay

  /// Takes note of a death after a life of `lifetime`; returns how long to wait.
  mutating func delay(afterLifeOf lifetime: Duration) -> Duration {
    if lifetime >= Self.healthyLife { self = RestartPolicy() }
    deathsInARow += 1
    let delay = nextDelay
    nextDelay = min(nextDelay * 2, Self.maximumDelay)
    return delay
  }
}

import CoreMetrics
import Synchronization

/// A metric that can write its samples.
protocol PrometheusMetric: AnyObject, Sendable {
  var identity: MetricIdentity { get }
  var kind: MetricKind { get }
  func write(to text: inout PrometheusText)
}

enum MetricKind: String, Sendable {
  case counter, gauge, histogram
}

/// Goes up only. Threads: any, without a lock.
final class PrometheusCounter: CounterHandler, PrometheusMetric {
  let identity: MetricIdentity
  let kind = MetricKind.counter
  private let value = Atomic<Int64>(0)

  init(_ identity: MetricIdentity) { self.identity = identity }

  func increment(by amount: Int64) {
    value.wrappingAdd(amount, ordering: .relaxed)
  }

  func reset() { value.store(0, ordering: .relaxed) }

  func write(to text: inout PrometheusText) {
    text.sample(identity.name, labels: identity.labels, value.load(ordering: .relaxed))
  }
}

/// A counter of fractions.
final class PrometheusFloatingPointCounter: FloatingPointCounterHandler, PrometheusMetric {
  let identity: MetricIdentity
  let kind = MetricKind.counter
  private let value = Mutex(0.0)

  init(_ identity: MetricIdentity) { self.identity = identity }

  func increment(by amount: Double) {
    guard amount.isFinite, amount > 0 else { return }
    value.withLock { $0 += amount }
  }

  func reset() { value.withLock { $0 = 0 } }

  func write(to text: inout PrometheusText) {
    text.sample(identity.name, labels: identity.labels, value.withLock { $0 })
  }
}

/// Goes up and down: a meter, or a recorder that does not aggregate.
final class PrometheusGauge: MeterHandler, RecorderHandler, PrometheusMetric {
  let identity: MetricIdentity
  let kind = MetricKind.gauge
  private let value = Mutex(0.0)

  init(_ identity: MetricIdentity) { self.identity = identity }

  func set(_ value: Int64) { set(Double(value)) }
  func set(_ value: Double) { self.value.withLock { $0 = value } }
  func increment(by amount: Double) { value.withLock { $0 += amount } }
  func decrement(by amount: Double) { value.withLock { $0 -= amount } }
  func record(_ value: Int64) { set(Double(value)) }
  func record(_ value: Double) { set(value) }

  func write(to text: inout PrometheusText) {
    text.sample(identity.name, labels: identity.labels, value.withLock { $0 })
  }
}

import CoreMetrics
import Synchronization

/// Counts values in buckets: timers in seconds, and recorders that aggregate.
///
/// Threads: any; a lock of its own is held for some nanoseconds.
final class PrometheusHistogram: TimerHandler, RecorderHandler, PrometheusMetric {
  /// From half a millisecond, a synced commit, to the longest wait of a client.
  static let secondsBuckets = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
  ]
  /// Sizes of batches, bytes, attempts.
  static let amountBuckets: [Double] = [
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 100_000, 1_000_000,
  ]

  private struct State {
    var counts: [UInt64]
    var sum = 0.0
  }

  let identity: MetricIdentity
  let kind = MetricKind.histogram
  private let bounds: [Double]
  private let state: Mutex<State>

  init(_ identity: MetricIdentity, bounds: [Double]) {
    self.identity = identity
    self.bounds = bounds
    self.state = Mutex(State(counts: Array(repeating: 0, count: bounds.count + 1)))
  }

  func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1_000_000_000) }
  func record(_ value: Int64) { record(Double(value)) }

  func record(_ value: Double) {
    guard value.isFinite else { return }
    let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
    state.withLock { state in
      state.counts[bucket] += 1
      state.sum += value
    }
  }

  func write(to text: inout PrometheusText) {
    let state = state.withLock { $0 }
    let separator = identity.labels.isEmpty ? "" : ","
    var total: UInt64 = 0
    for (bound, count) in zip(bounds, state.counts) {
      total += count
      text.sample(
        identity.name + "_bucket", labels: "\(identity.labels)\(separator)le=\"\(PrometheusText.number(bound))\"",
        Int64(clamping: total))
    }
    total += state.counts[bounds.count]
    text.sample(identity.name + "_bucket", labels: "\(identity.labels)\(separator)le=\"+Inf\"", Int64(clamping: total))
    text.sample(identity.name + "_sum", labels: identity.labels, state.sum)
    text.sample(identity.name + "_count", labels: identity.labels, Int64(clamping: total))
  }
}

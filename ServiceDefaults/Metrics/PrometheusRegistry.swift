import CoreMetrics
import Synchronization

/// Keeps the metrics of a process, and renders them as Prometheus reads them.
///
/// Counters end with `_total`, timers with `_seconds`; `.` and whatever else Prometheus does not know becomes `_`.
/// The same label and dimensions give the same metric, so nothing is lost when many make it. Destroying a metric
/// keeps it: Prometheus wants counters that go on.
///
/// Threads: any. Making a metric takes a lock, counting with one does not take the registry's.
public final class PrometheusRegistry: MetricsFactory {
  /// The registry that `ServiceMain` installs and `GET /metrics` shows.
  public static let shared = PrometheusRegistry()

  private struct State {
    var metrics: [MetricIdentity: any PrometheusMetric] = [:]
    /// What a name was first made as, and the label that it was made of: a name has one type.
    var families: [String: (kind: MetricKind, label: String)] = [:]
  }

  private let state = Mutex(State())

  public init() {}

  /// Every metric, sorted by name and labels.
  public func render() -> String {
    let (metrics, families) = state.withLock { (Array($0.metrics.values), $0.families) }
    var text = PrometheusText()
    var family = ""
    let order = metrics.sorted {
      ($0.identity.name, $0.identity.labels) < ($1.identity.name, $1.identity.labels)
    }
    for metric in order {
      if metric.identity.name != family {
        family = metric.identity.name
        text.family(family, metric.kind, help: families[family]?.label ?? family)
      }
      metric.write(to: &text)
    }
    ProcessMetrics.write(to: &text)
    return text.text
  }

  public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    metric(label, dimensions, .counter, suffix: "_total", make: PrometheusCounter.init)
  }

  public func makeFloatingPointCounter(
    label: String, dimensions: [(String, String)]
  ) -> any FloatingPointCounterHandler {
    metric(label, dimensions, .counter, suffix: "_total", make: PrometheusFloatingPointCounter.init)
  }

  public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
    metric(label, dimensions, .gauge, make: PrometheusGauge.init)
  }

  public func makeRecorder(
    label: String, dimensions: [(String, String)], aggregate: Bool
  ) -> any RecorderHandler {
    guard aggregate else { return metric(label, dimensions, .gauge, make: PrometheusGauge.init) }
    return metric(label, dimensions, .histogram) {
      PrometheusHistogram($0, bounds: PrometheusHistogram.amountBuckets)
    }
  }

  public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    metric(label, dimensions, .histogram, suffix: "_seconds") {
      PrometheusHistogram($0, bounds: PrometheusHistogram.secondsBuckets)
    }
  }

  public func destroyCounter(_ handler: any CounterHandler) {}
  public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
  public func destroyMeter(_ handler: any MeterHandler) {}
  public func destroyRecorder(_ handler: any RecorderHandler) {}
  public func destroyTimer(_ handler: any TimerHandler) {}

  private func metric<Metric: PrometheusMetric>(
    _ label: String, _ dimensions: [(String, String)], _ kind: MetricKind, suffix: String = "",
    make: (MetricIdentity) -> Metric
  ) -> Metric {
    let wanted = MetricIdentity(label: label, dimensions: dimensions, suffix: suffix)
    return state.withLock { state in
      if let known = state.metrics[wanted] as? Metric { return known }
      var identity = wanted
      // The name is taken by another type: both are shown, under names that differ.
      if let family = state.families[wanted.name], family.kind != kind || state.metrics[wanted] != nil {
        identity = MetricIdentity(name: "\(wanted.name)_\(Metric.self)".lowercased(), labels: wanted.labels)
        if let known = state.metrics[identity] as? Metric { return known }
      }
      let metric = make(identity)
      state.metrics[identity] = metric
      if state.families[identity.name] == nil { state.families[identity.name] = (kind, label) }
      return metric
    }
  }
}

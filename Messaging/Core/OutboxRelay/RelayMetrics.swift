import Metrics

/// What a relay counts, through swift-metrics.
struct RelayMetrics {
  private let published: Counter
  private let failures: Counter
  private let latency: Metrics.Timer
  private let inFlight: Gauge
  private let inMemory: Gauge
  private let unpublished: Gauge
  private let refusedKeys: Gauge
  private let holdsLease: Gauge
  private var last: OutboxRelayStatus?

  init(holder: String) {
    published = Counter(label: "outbox_published_messages_total")
    failures = Counter(label: "outbox_publish_failures_total")
    latency = Metrics.Timer(label: "messaging_publish_duration")
    inFlight = Gauge(label: "outbox_in_flight_messages")
    inMemory = Gauge(label: "outbox_in_memory_messages")
    unpublished = Gauge(label: "outbox_unpublished_messages")
    refusedKeys = Gauge(label: "outbox_refused_keys")
    holdsLease = Gauge(label: "outbox_relay_holds_lease")
  }

  mutating func record(_ observed: RelayObservations, _ status: OutboxRelayStatus) {
    if observed.published > 0 { published.increment(by: observed.published) }
    if observed.failures > 0 { failures.increment(by: observed.failures) }
    for duration in observed.latencies { latency.record(duration: duration) }
    guard status != last else { return }
    inFlight.record(status.inFlight)
    inMemory.record(status.inMemory)
    if let rows = status.unpublished { unpublished.record(rows) }
    refusedKeys.record(status.refusedKeys)
    holdsLease.record(status.holdsLease ? 1 : 0)
    last = status
  }
}

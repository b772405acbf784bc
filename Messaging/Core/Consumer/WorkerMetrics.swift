import Metrics
import WireFormat

/// What a consumer worker counts, through swift-metrics.
struct WorkerMetrics {
  private let outcomes: [(counter: Counter, value: KeyPath<ConsumerCounts, Int>)]
  private let batchSize: Recorder
  private let batchDuration: Metrics.Timer
  private let queued: Gauge
  private let waitingPartitions: Gauge
  private let openDeadLetters: Gauge
  private let parkedRecords: Gauge
  private let gaps: Gauge
  private let gapAge: Gauge
  private let group: String
  private var lags: [TopicPartition: Gauge] = [:]
  private var last = ConsumerCounts()

  init(group: String) {
    self.group = group
    func counter(_ outcome: String) -> Counter {
      Counter(label: "messaging_consumer_events_total", dimensions: [("group", group), ("outcome", outcome)])
    }
    outcomes = [
      (Counter(label: "messaging_consumer_records_total", dimensions: [("group", group)]), \.consumed),
      (counter("handled"), \.handled),
      (counter("without_effect"), \.withoutEffect),
      (counter("duplicate"), \.duplicates),
      (counter("stale"), \.stale),
      (counter("parked"), \.parked),
      (counter("ignored"), \.ignored),
      (counter("dead_lettered"), \.deadLettered),
      (Counter(label: "messaging_consumer_retries_total", dimensions: [("group", group)]), \.retries),
    ]
    batchSize = Recorder(label: "messaging_consumer_batch_records", dimensions: [("group", group)])
    batchDuration = Metrics.Timer(label: "messaging_consumer_batch_duration", dimensions: [("group", group)])
    queued = Gauge(label: "messaging_consumer_queued_records", dimensions: [("group", group)])
    waitingPartitions = Gauge(label: "messaging_consumer_waiting_partitions", dimensions: [("group", group)])
    openDeadLetters = Gauge(label: "messaging_inbox_open_dead_letters", dimensions: [("group", group)])
    parkedRecords = Gauge(label: "messaging_inbox_parked_records", dimensions: [("group", group)])
    gaps = Gauge(label: "messaging_inbox_gaps", dimensions: [("group", group)])
    gapAge = Gauge(label: "messaging_inbox_gap_age_seconds", dimensions: [("group", group)])
  }

  mutating func record(_ counts: ConsumerCounts, queued: Int, waiting: Int) {
    for outcome in outcomes {
      let increase = counts[keyPath: outcome.value] - last[keyPath: outcome.value]
      if increase > 0 { outcome.counter.increment(by: increase) }
    }
    last = counts
    self.queued.record(queued)
    waitingPartitions.record(waiting)
  }

  func recordBatch(_ records: Int, _ duration: Duration) {
    batchSize.record(records)
    batchDuration.record(duration: duration)
  }

  /// Of the store: every instance on it says the same.
  func record(_ backlog: InboxSummary, at now: Timestamp) {
    openDeadLetters.record(backlog.openDeadLetters)
    parkedRecords.record(backlog.parkedRecords)
    gaps.record(backlog.gaps)
    let age = backlog.oldestGap.map { now.millisecondsSinceEpoch - $0.millisecondsSinceEpoch } ?? 0
    gapAge.record(Double(max(0, age)) / 1_000)
  }

  /// A partition that went to another member is theirs to count: here it has no lag any more.
  mutating func record(_ status: ConsumerStatus) {
    let partitions = status.assignment ?? []
    for gone in Set(lags.keys).subtracting(partitions.map(\.topicPartition)) {
      lags.removeValue(forKey: gone)?.record(0)
    }
    for partition in partitions {
      guard let lag = partition.lag else { continue }
      let name = partition.topicPartition
      let gauge =
        lags[name]
        ?? Gauge(
          label: "messaging_consumer_lag_records",
          dimensions: [("group", group), ("topic", name.topic), ("partition", String(name.partition))])
      lags[name] = gauge
      gauge.record(lag)
    }
  }
}

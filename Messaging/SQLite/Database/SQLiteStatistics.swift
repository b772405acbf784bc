import Metrics

/// What a store's writer has done since it was opened.
public struct SQLiteStatistics: Sendable, Hashable {
  /// Transactions that were committed and synced.
  public var commits = 0
  /// Writes in them.
  public var writes = 0
  /// Writes that were undone, for whatever reason.
  public var failedWrites = 0
  /// Times that the write-ahead log was emptied.
  public var checkpoints = 0
  /// Writes that wait for the writer at this moment.
  public var waitingWrites = 0
  /// Why the last transaction could not be committed; nil when it could.
  public var trouble: String?
}

/// The writer's metrics, labelled with the store's name.
struct SQLiteMetrics: Sendable {
  private let commits: Counter
  private let writes: Counter
  private let failedWrites: Counter
  private let failedCommits: Counter
  private let batchSize: Recorder
  private let commitDuration: Timer
  let checkpoints: Counter
  let logSize: Gauge

  init(store: String) {
    let labels = [("store", store)]
    commits = Counter(label: "sqlite_commits", dimensions: labels)
    writes = Counter(label: "sqlite_writes", dimensions: labels)
    failedWrites = Counter(label: "sqlite_failed_writes", dimensions: labels)
    failedCommits = Counter(label: "sqlite_failed_commits", dimensions: labels)
    batchSize = Recorder(label: "sqlite_writes_per_commit", dimensions: labels)
    commitDuration = Timer(label: "sqlite_commit_duration", dimensions: labels)
    checkpoints = Counter(label: "sqlite_checkpoints", dimensions: labels)
    logSize = Gauge(label: "sqlite_write_ahead_log_bytes", dimensions: labels)
  }

  func record(writes count: Int, failed: Int, isCommitted: Bool, took duration: Duration) {
    if isCommitted { commits.increment() } else { failedCommits.increment() }
    writes.increment(by: count - failed)
    if failed > 0 { failedWrites.increment(by: failed) }
    batchSize.record(count)
    commitDuration.record(duration: duration)
  }
}

/// A snapshot of a ``ConsumerWorker``.
public struct ConsumerWorkerStatus: Sendable {
  /// A partition that stands at an event which failed and will be tried again.
  public struct Backoff: Sendable, Hashable {
    public var partition: TopicPartition
    /// Of the record at which the partition stands.
    public var offset: Int64
    /// The event that failed: that record's, or one that was parked behind it.
    public var eventID: String
    /// How many have failed.
    public var attempts: Int
    /// What the last attempt threw.
    public var error: String
  }

  /// The consumer group.
  public var group: String
  /// Assignment, positions and lag; nil while there is no connection to speak of.
  public var consumer: ConsumerStatus?
  /// Since the start of this worker.
  public var counts: ConsumerCounts
  /// Empty when nothing waits for a retry.
  public var backoffs: [Backoff]
  /// Records in memory that are not dealt with yet.
  public var queued: Int
  /// The trouble that keeps records from being handled now, nil when there is none.
  public var trouble: String?

  public init(
    group: String, consumer: ConsumerStatus?, counts: ConsumerCounts, backoffs: [Backoff], queued: Int,
    trouble: String?
  ) {
    self.group = group
    self.consumer = consumer
    self.counts = counts
    self.backoffs = backoffs
    self.queued = queued
    self.trouble = trouble
  }
}

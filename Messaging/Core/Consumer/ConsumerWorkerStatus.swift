/// A snapshot of a ``ConsumerWorker``.
public struct ConsumerWorkerStatus: Sendable {
  /// A partition that stands at an event which failed and will be tried again.
  public struct Backoff: Sendable, Hashable {
    public var partition: TopicPartition
    public var offset: Int64
    public var eventID: String
    public var attempts: Int
    public var error: String
  }

  public var group: String
  /// Assignment, positions and lag; nil while there is no connection to speak of.
  public var consumer: ConsumerStatus?
  /// Since the start of this worker.
  public var counts: ConsumerCounts
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

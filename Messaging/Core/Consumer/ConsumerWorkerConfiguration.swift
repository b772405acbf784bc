/// How a ``ConsumerWorker`` works. The defaults are right for a service.
public struct ConsumerWorkerConfiguration: Sendable {
  /// The most records that one transaction deals with.
  public var maximumBatch = 500
  /// The most records that wait in memory, because their partition waits for a retry or all wait for the store. From
  /// there on their partitions are paused; polling goes on, so the member stays in its group.
  public var maximumQueued = 5_000
  /// The longest wait for records at a time.
  public var pollTimeout: Duration = .seconds(1)
  /// How often parked records are looked for that have become next in the hands of somebody who could not handle them:
  /// of a process that died, or of another instance. Those of this instance are not waited for.
  public var sweepInterval: Duration = .seconds(5)
  /// The most keys that one sweep deals with in a transaction.
  public var maximumSweep = 100
  /// How often the lag is read for the metrics.
  public var lagInterval: Duration = .seconds(5)

  /// Where the jitter of the retries comes from; nil for a seed that nobody knows.
  public var seed: UInt64?
  /// The time; a manual clock drives the worker in tests.
  public var clocks: Clocks = .system

  public init() {}
}

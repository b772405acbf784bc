import Logging

/// How a store behaves under load. The defaults suit a service.
public struct SQLiteConfiguration: Sendable {
  /// Writes that share one transaction, at most.
  public var maximumBatch = 512
  /// Writes that may wait for the writer; beyond that a write is refused with `StoreUnavailable`, at once.
  public var maximumWaitingWrites = 8192
  /// How long a transaction waits for the write lock while other processes have it.
  public var busyTimeout = Duration.seconds(10)
  /// Connections for reading, each used by one reader at a time.
  public var readers = 4
  /// The size of the write-ahead log, in bytes, at which an idle writer writes it back into the database. Pages that were
  /// written several times since the last time are written back once (docs/performance.md).
  public var checkpointSize = 16 << 20
  /// The size of the write-ahead log, in bytes, at which even a busy writer does.
  public var checkpointSizeUnderLoad = 32 << 20
  /// Marks the file as ours in SQLite's `application_id` ("oflw"); a file with another mark is refused.
  /// Nil leaves the mark alone.
  public var applicationID: Int32? = 0x6F66_6C77
  public var logger = Logger(label: "orderflow.sqlite")

  public init() {}
}

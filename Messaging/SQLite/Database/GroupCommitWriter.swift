import Dispatch
import FaultInjection
import Foundation
import GRDB
import Logging
import Messaging
import Synchronization

/// The one thread that writes. While a commit is being synced, the next writes gather; they are the next transaction.
/// There is no timer: a write that comes alone is committed at once, and a hundred cost one sync.
///
/// Threads: ``submit(_:)``, ``stop()``, ``waitUntilFinished()`` and ``statistics`` may be called from any.
final class GroupCommitWriter: Sendable {
  private let connection: any DatabaseWriter
  private let log: WriteAheadLog?
  private let queue: Mutex<WriteQueue>
  private let arrival = DispatchSemaphore(value: 0)
  private let finished = DispatchGroup()
  /// 0 while it does not run.
  private let threadID = Atomic<UInt>(0)
  private let counts = Mutex(SQLiteStatistics())
  private let metrics: SQLiteMetrics
  private let logger: Logger

  /// - Parameter log: nil for a store in memory.
  init(
    connection: any DatabaseWriter, log: WriteAheadLog?, name: String, configuration: SQLiteConfiguration
  ) {
    self.connection = connection
    self.log = log
    self.queue = Mutex(
      WriteQueue(
        maximumBatch: configuration.maximumBatch, maximumWaiting: configuration.maximumWaitingWrites))
    self.metrics = SQLiteMetrics(store: name)
    self.logger = configuration.logger
  }

  /// Starts the thread, which keeps this object alive until it has ended.
  func start() {
    finished.enter()
    DedicatedThread.start(named: "sqlite-writer", stackSize: 8 << 20) { [self] in
      threadID.store(Self.currentThreadID, ordering: .relaxed)
      work()
      // Another thread may get the number.
      threadID.store(0, ordering: .relaxed)
      finished.leave()
    }
  }

  /// Puts `job` into the next batch. From here on it will be finished exactly once, by the writer's thread.
  ///
  /// - Throws: `StoreUnavailable`; then the job is not taken, and will not be finished.
  func submit(_ job: any WriteJob) throws {
    if try queue.withLock({ try $0.add(job) }) { arrival.signal() }
  }

  /// Takes nothing more; the thread ends when the queue is empty.
  func stop() {
    if queue.withLock({ $0.stop() }) { arrival.signal() }
  }

  func waitUntilFinished() {
    finished.wait()
  }

  /// Whether the caller is a write, or an action after a commit: it would wait for itself.
  var isCurrentThread: Bool {
    // Only the writer's thread itself can find its own number here, so no order is needed.
    threadID.load(ordering: .relaxed) == Self.currentThreadID
  }

  private static var currentThreadID: UInt {
    #if canImport(Darwin)
      UInt(bitPattern: pthread_self())
    #else
      UInt(pthread_self())
    #endif
  }

  var statistics: SQLiteStatistics {
    var statistics = counts.withLock { $0 }
    statistics.waitingWrites = queue.withLock { $0.count }
    return statistics
  }

  private func work() {
    // Gone with this function: before the connection is closed.
    let statements = PreparedStatements()
    while true {
      switch queue.withLock({ $0.next() }) {
      case .write(let jobs): write(WriteBatch(jobs: jobs), with: statements)
      case .sleep: arrival.wait()
      case .stop:
        checkpoint(.closing)
        return
      }
    }
  }

  private func write(_ batch: WriteBatch, with statements: PreparedStatements) {
    let start = ContinuousClock.now
    let outcome = batch.commit(on: connection, with: statements)
    Failpoint.storeAfterCommit.pass()
    record(outcome, took: ContinuousClock.now - start)
    outcome.scope.runActions()
    for (job, error) in zip(batch.jobs, outcome.errors) { job.finish(error) }
    checkpoint(queue.withLock { $0.count } == 0 ? .idle : .busy)
  }

  private func record(_ outcome: WriteBatch.Outcome, took duration: Duration) {
    let failed = outcome.errors.count { $0 != nil }
    let before = counts.withLock { counts in
      defer {
        counts.commits += outcome.failure == nil ? 1 : 0
        counts.writes += outcome.errors.count - failed
        counts.failedWrites += failed
        counts.trouble = outcome.failure?.reason
      }
      return counts.trouble
    }
    metrics.record(writes: outcome.errors.count, failed: failed, isCommitted: outcome.failure == nil, took: duration)
    switch (before, outcome.failure) {
    case (nil, let failure?): logger.error("store cannot be written", metadata: ["reason": "\(failure.reason)"])
    case (_?, nil): logger.notice("store can be written again")
    default: break
    }
  }

  private func checkpoint(_ occasion: WriteAheadLog.Occasion) {
    guard let log, log.isDue(occasion) else { return }
    Failpoint.storeCheckpointing.pass()
    let result = connection.writeWithoutTransaction { log.checkpoint($0, occasion) }
    switch result {
    case .success:
      counts.withLock { $0.checkpoints += 1 }
      metrics.checkpoints.increment()
    case .failure(let error):
      logger.debug("write-ahead log could not be emptied yet", metadata: ["reason": "\(error)"])
    }
    metrics.logSize.record(log.size)
  }
}

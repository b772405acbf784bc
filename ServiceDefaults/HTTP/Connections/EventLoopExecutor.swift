import NIOCore
import Synchronization

/// Runs the parts of tasks one after another on an event loop, so that a request is answered on the thread that read it,
/// without two changes of thread.
///
/// What runs there keeps the other connections of the loop waiting meanwhile; as ever it must not block.
final class EventLoopExecutor: TaskExecutor {
  private struct Waiting {
    var jobs: [UnownedJob] = []
    /// Whether the event loop will come to ``runScheduled()``.
    var isScheduled = false
    /// Whether jobs are being run. What one of them does can end in ``runNow()``, as a write does that finds the
    /// connection broken; the others must not begin in its middle.
    var isRunning = false

    mutating func begin() -> [UnownedJob]? {
      guard !isRunning, !jobs.isEmpty else { return nil }
      isRunning = true
      defer { jobs = [] }
      return jobs
    }
  }

  private let eventLoop: any EventLoop
  private let waiting = Mutex(Waiting())

  init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    let hasToSchedule = waiting.withLock { waiting in
      waiting.jobs.append(job)
      defer { waiting.isScheduled = true }
      return !waiting.isScheduled
    }
    if hasToSchedule { eventLoop.execute { self.runScheduled() } }
  }

  /// From the top of the event loop's stack, never inside a job.
  private func runScheduled() {
    waiting.withLock { $0.isScheduled = false }
    runNow()
  }

  /// Runs what waits, unless a job is being run. On the event loop.
  func runNow() {
    guard let jobs = waiting.withLock({ $0.begin() }) else { return }
    for job in jobs { job.runSynchronously(on: asUnownedTaskExecutor()) }
    waiting.withLock { $0.isRunning = false }
  }
}

/// One executor for each event loop.
final class EventLoopExecutors: Sendable {
  private let executors = Mutex<[ObjectIdentifier: EventLoopExecutor]>([:])

  func executor(of eventLoop: any EventLoop) -> EventLoopExecutor {
    executors.withLock { executors in
      if let executor = executors[ObjectIdentifier(eventLoop)] { return executor }
      let executor = EventLoopExecutor(eventLoop)
      executors[ObjectIdentifier(eventLoop)] = executor
      return executor
    }
  }
}

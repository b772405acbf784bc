import HummingbirdCore
import Logging
import NIOCore
import Synchronization

/// HTTP/1.1 connections whose requests are answered on the thread that reads them.
///
/// Hummingbird runs a connection's task on the cooperative pool: each request is handed from its event loop to a thread
/// of the pool and its answer back again, with two locks and two wake-ups. Here the task, and whatever it awaits without
/// an actor or an executor of its own, runs on the connection's event loop; and a request is handled right after it was
/// read, while it is in the processor's cache, not after those of all other connections.
///
/// What a handler computes keeps the other connections of the loop waiting meanwhile; as ever it must not block.
struct EventLoopChannel: ServerChildChannel {
  let channel: HTTP1Channel
  private let executors = EventLoopExecutors()

  init(channel: HTTP1Channel) { self.channel = channel }

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
    self.channel.setup(channel: channel, logger: logger).flatMapThrowing { value in
      let executor = executors.executor(of: channel.eventLoop)
      // Behind the handler that hands requests to the connection's task.
      try channel.pipeline.syncOperations.addHandler(RunsJobsAfterRead(executor: executor))
      return value
    }
  }

  func handle(value: HTTP1Channel.Value, logger: Logger) async {
    await withTaskExecutorPreference(executors.executor(of: value.channel.eventLoop)) {
      await channel.handle(value: value, logger: logger)
    }
  }
}

extension HTTPServerBuilder {
  /// HTTP/1.1 over ``EventLoopChannel``.
  static func http1OnEventLoops(_ configuration: HTTP1Channel.Configuration) -> HTTPServerBuilder {
    HTTPServerBuilder { responder in
      EventLoopChannel(channel: HTTP1Channel(responder: responder, configuration: configuration))
    }
  }
}

/// One executor for each event loop.
private final class EventLoopExecutors: Sendable {
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

/// Runs the parts of tasks one after another on an event loop.
private final class EventLoopExecutor: TaskExecutor {
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

/// Lets the executor run as soon as a connection has been read.
private final class RunsJobsAfterRead: ChannelInboundHandler {
  typealias InboundIn = NIOAny

  private let executor: EventLoopExecutor
  /// A reading that finds the connection's end completes, too; a job that closes the connection must not run in there.
  private var hasRead = false

  init(executor: EventLoopExecutor) { self.executor = executor }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    hasRead = true
    context.fireChannelRead(data)
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    if hasRead { executor.runNow() }
    hasRead = false
    context.fireChannelReadComplete()
  }
}

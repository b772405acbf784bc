import HummingbirdCore
import Logging
import NIOCore

/// HTTP/1.1 connections whose requests are answered on the thread that reads them.
///
/// Hummingbird runs a connection's task on the cooperative pool: each request is handed from its event loop to a thread
/// of the pool and its answer back again, with two locks and two wake-ups. Here the task, and whatever it awaits without
/// an actor or an executor of its own, runs on the connection's event loop.
///
/// What a handler computes keeps the other connections of the loop waiting meanwhile; as ever it must not block.
struct EventLoopChannel: ServerChildChannel {
  let channel: HTTP1Channel

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
    self.channel.setup(channel: channel, logger: logger)
  }

  func handle(value: HTTP1Channel.Value, logger: Logger) async {
    await withTaskExecutorPreference(EventLoopExecutor(value.channel.eventLoop)) {
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

/// Runs the parts of tasks one after another on an event loop.
private final class EventLoopExecutor: TaskExecutor {
  private let eventLoop: any EventLoop

  init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    let executor = asUnownedTaskExecutor()
    eventLoop.execute { job.runSynchronously(on: executor) }
  }
}

import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOHTTPTypes

/// Answers those requests of one connection that a ``DirectRoute`` takes, without the connection's task.
///
/// One is in hand at a time, and only while the task has nothing to answer: what comes meanwhile waits in the
/// ``RequestQueue``, so answers keep the order of their requests.
///
/// Threads: everything on the connection's event loop.
final class DirectAnswers: Sendable {
  private let queue: RequestQueue
  private let channel: any Channel
  private let responder: ServiceResponder
  private let date: DateHeader
  private let logger: Logger

  init(
    in queue: RequestQueue, of channel: any Channel, by responder: ServiceResponder, date: DateHeader, _ logger: Logger
  ) {
    self.queue = queue
    self.channel = channel
    self.responder = responder
    self.date = date
    self.logger = logger
  }

  /// Takes a request that is there as a whole.
  ///
  /// - Returns: whether it is answered here. Nothing was begun for one that is not.
  func take(_ head: HTTPRequest, _ body: ByteBuffer) -> Bool {
    // The task waits for a client that does not read, and ends the connection after a request that says so.
    guard queue.isIdle, channel.isWritable, !head.isLast, let (route, caller) = responder.directRoute(of: head) else {
      return false
    }
    let start = ContinuousClock.now
    guard let serve = route.take(head, body) else { return false }
    queue.beginDirectAnswer()
    let answer: DirectRoute.Answer = { [self] result in
      channel.eventLoop.execute { self.write(self.responder.end(route, with: result, since: start, self.logger)) }
    }
    do throws(Problem) {
      try responder.begin(for: caller, on: channel)
      serve(answer)
    } catch {
      answer(.failure(error))
    }
    return true
  }

  /// Where the connection is gone, so is the answer.
  private func write(_ answer: WholeAnswer) {
    channel.write(HTTPResponsePart.head(date.dated(Response(answer).head)), promise: nil)
    channel.write(HTTPResponsePart.body(answer.body), promise: nil)
    channel.writeAndFlush(HTTPResponsePart.end(nil), promise: nil)
    queue.endDirectAnswer()
  }
}

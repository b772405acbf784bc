import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// Puts the parts of a connection's requests together, hands each request over when it is whole, and has it served right
/// after it was read, while it is in the processor's cache, not after those of all other connections.
///
/// The last handler of the pipeline: events go on to those that are added behind it.
final class RequestAssembler: ChannelDuplexHandler {
  typealias InboundIn = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart

  private let queue: RequestQueue
  private let executor: EventLoopExecutor
  /// Of the request that is being read; nil between requests, and while the rest of a refused one is dropped.
  private var head: HTTPRequest?
  private var body = ByteBuffer()
  private var size = 0
  /// A reading that finds the connection's end completes, too; a task that closes the connection must not run in there.
  private var hasRead = false

  init(queue: RequestQueue, executor: EventLoopExecutor) {
    self.queue = queue
    self.executor = executor
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    hasRead = true
    switch unwrapInboundIn(data) {
    case .head(let head):
      self.head = head
      size = 0
    case .body(let part):
      guard head != nil else { return }
      add(part)
      if size > RequestLimits.refusedBody { handOver() }
    case .end:
      handOver()
    }
  }

  /// Of a body that is too large no more is kept than what shows it.
  private func add(_ part: ByteBuffer) {
    size += part.readableBytes
    if body.readableBytes == 0 {
      body = part
    } else if body.readableBytes <= RequestLimits.body {
      body.writeImmutableBuffer(part)
    }
  }

  private func handOver() {
    guard let head else { return }
    queue.add(.request(head, body: body))
    self.head = nil
    body = ByteBuffer()
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    if hasRead { executor.runNow() }
    hasRead = false
    context.fireChannelReadComplete()
  }

  func read(context: ChannelHandlerContext) {
    if queue.admitsRead() { context.read() }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    queue.add(error is HTTPParserError ? .unreadable : .end)
    context.fireErrorCaught(error)
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event as? ChannelEvent == .inputClosed { queue.add(.end) }
    context.fireUserInboundEventTriggered(event)
  }

  /// The connection is closed. `channelInactive` does not come this far: Hummingbird's state handler keeps it to itself.
  func handlerRemoved(context: ChannelHandlerContext) {
    queue.add(.end)
  }
}

import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// Puts the parts of a connection's requests together, hands each request over when it is whole, and has it served right
/// after it was read, while it is in the processor's cache, not after those of all other connections.
///
/// A request whose body is beyond ``RequestLimits/refusedBody`` is handed over without waiting for its end; the rest is
/// dropped. The last handler of the pipeline: events go on to those that are added behind it.
final class RequestAssembler: ChannelDuplexHandler {
  typealias InboundIn = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPResponsePart

  private let queue: RequestQueue
  private let direct: DirectAnswers
  private let executor: EventLoopExecutor
  /// Of the request that is being read; nil between requests, and while the rest of one is dropped.
  private var head: HTTPRequest?
  private var body = ByteBuffer()
  private var size = 0
  private var dropsRest = false
  /// NIO decodes nothing behind a request that asks for another protocol, and would keep whatever comes.
  private var readsNoMore = false
  /// A reading that finds the connection's end completes, too, and has nothing that could be served.
  private var hasRead = false

  init(queue: RequestQueue, direct: DirectAnswers, executor: EventLoopExecutor) {
    self.queue = queue
    self.direct = direct
    self.executor = executor
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    hasRead = true
    switch unwrapInboundIn(data) {
    case .head(let head):
      self.head = head
      size = 0
      if head.expectsContinue, queue.isIdle {
        context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
      }
    case .body(let part):
      guard head != nil else { return }
      add(part)
      if size > RequestLimits.refusedBody {
        dropsRest = true
        handOver()
      }
    case .end:
      dropsRest = false
      handOver()
    }
  }

  /// Of a body that is too large no more is kept than what shows it to whoever counts, as `Request.jsonObject` does: a
  /// route that takes the bytes as they come would take a part for the whole.
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
    readsNoMore = head.asksForAnotherProtocol
    if !direct.take(head, body) { queue.add(.request(head, body: body)) }
    self.head = nil
    body = ByteBuffer()
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    if hasRead { executor.runNow() }
    hasRead = false
    context.fireChannelReadComplete()
  }

  func read(context: ChannelHandlerContext) {
    if !readsNoMore, queue.admitsRead() { context.read() }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // A request that is answered already is not answered again for what is wrong with its rest.
    queue.add(error is HTTPParserError && !dropsRest ? .unreadable(error) : .end)
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

extension HTTPRequest {
  /// Whether the client waits with its body until it is asked for it (RFC 9110, section 10.1.1).
  fileprivate var expectsContinue: Bool { headerFields[.expect]?.lowercased() == "100-continue" }

  /// `CONNECT`, or an upgrade. Nobody here speaks anything else: it is answered, and is the last on its connection.
  var asksForAnotherProtocol: Bool {
    method == .connect || (headerFields[.upgrade] != nil && headerFields.connectionOptions.contains("upgrade"))
  }

  /// Whether there is no further request on its connection.
  var isLast: Bool { headerFields.isClosing || asksForAnotherProtocol }
}

extension HTTPFields {
  /// Whether this is the last message on its connection (RFC 9112, section 9.6).
  var isClosing: Bool { connectionOptions.contains("close") }

  /// What `Connection` says, in lower case (RFC 9110, section 7.6.1).
  fileprivate var connectionOptions: [Substring] {
    guard let options = self[.connection] else { return [] }
    return options.lowercased().split { $0 == "," || $0 == " " || $0 == "\t" }
  }
}

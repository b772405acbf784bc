import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import WireFormat

/// Serves HTTP/1.1 connections: each by one task on the event loop that reads it, one whole request after another.
///
/// It stands where Hummingbird's `HTTP1Channel` would, below its server and above its router. That one hands over each
/// part of a request, and each part of its answer, through asynchronous sequences, with a logger and a task-local value
/// for each request. Our requests are small: they are handed over once, when they are whole, and an answer whose length is
/// known is written at once. What that saves is in `docs/performance.md`.
struct ServiceConnections: ServerChildChannel {
  struct Connection: ServerChildChannelValue {
    let channel: any Channel
    fileprivate let requests: RequestQueue
  }

  /// How long the client has to take its last answer, and then to close its side: a connection that is closed while
  /// bytes are on their way takes them with it.
  private static let takingPatience = TimeAmount.seconds(60)
  private static let closingPatience = TimeAmount.seconds(5)
  /// How many requests that are there already are served before others have their turn on the event loop.
  private static let longestTurn = 16

  let responder: ServiceResponder
  let idleTimeout: Duration
  private let executors = EventLoopExecutors()
  private let date: DateHeader

  init(responder: ServiceResponder, idleTimeout: Duration, now: @escaping @Sendable () -> Timestamp) {
    self.responder = responder
    self.idleTimeout = idleTimeout
    date = DateHeader(now: now)
  }

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Connection> {
    channel.eventLoop.makeCompletedFuture {
      let pipeline = channel.pipeline.syncOperations
      let requests = RequestQueue(of: channel)
      try pipeline.configureHTTPServerPipeline(
        withPipeliningAssistance: false, withErrorHandling: false, withOutboundHeaderValidation: false,
        withEncoderConfiguration: .init(), withDecoderLimitConfiguration: Self.limits)
      try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
      // Closes what is idle, and at a shutdown each connection after the answers it owes.
      try pipeline.addHandler(HTTPConnectionStateHandler(idleTimeout: idleTimeout, logger: logger))
      let direct = DirectAnswers(in: requests, of: channel, by: responder, date: date, logger)
      try pipeline.addHandler(
        RequestAssembler(queue: requests, direct: direct, executor: executors.executor(of: channel.eventLoop)))
      return Connection(channel: channel, requests: requests)
    }
  }

  private static var limits: NIOHTTPDecoderLimitConfiguration {
    var limits = NIOHTTPDecoderLimitConfiguration()
    limits.maxHeaderFieldSize = RequestLimits.headerField
    limits.maxHeaderListSize = RequestLimits.headers
    limits.maxHeaderFieldCount = RequestLimits.headerCount
    return limits
  }

  func handle(value connection: Connection, logger: Logger) async {
    await withTaskExecutorPreference(executors.executor(of: connection.channel.eventLoop)) {
      await withTaskCancellationHandler {
        await serve(connection, logger)
      } onCancel: {
        // What is in hand is cancelled too, and answered as far as its client reads.
        connection.channel.close(mode: .input, promise: nil)
      }
    }
  }

  private func serve(_ connection: Connection, _ logger: Logger) async {
    do {
      var served = 0
      while try await serveNext(connection, logger) {
        served += 1
        if served % Self.longestTurn == 0 { await Task.yield() }
      }
      await end(connection)
    } catch {
      logger.trace("Connection broken", metadata: ["error": "\(error)"])
      connection.channel.close(promise: nil)
    }
  }

  /// - Returns: whether there may be another request.
  private func serveNext(_ connection: Connection, _ logger: Logger) async throws -> Bool {
    switch await connection.requests.next() {
    case .request(let head, let body):
      let context = ServiceRequestContext(source: .init(channel: connection.channel, logger: logger))
      let request = Request(head: head, body: RequestBody(buffer: body))
      var response = try await responder.respond(to: request, context: context)
      let isLast = head.isLast || response.headers.isClosing
      if isLast { response.headers[.connection] = "close" }
      try await write(response, to: connection.channel)
      return !isLast
    case .unreadable(let error):
      logger.debug("Request refused: it cannot be read", metadata: ["error": "\(error)"])
      let problem = Task.isCancelled ? Problem.unavailable("The service is shutting down.") : .unreadable(error)
      var response = problem.response
      response.headers[.connection] = "close"
      try await write(response, to: connection.channel)
      return false
    case .end:
      return false
    }
  }

  private func write(_ response: Response, to channel: any Channel) async throws {
    channel.write(HTTPResponsePart.head(date.dated(response.head)), promise: nil)
    try await response.body.write(AnswerWriter(channel: channel, isStream: response.body.contentLength == nil))
  }

  /// Lets the client read the last answer to its end.
  private func end(_ connection: Connection) async {
    let channel = connection.channel
    connection.requests.close()
    // Of a client that has ended its side, the connection is closed as a whole: not before everything is out.
    let taking = channel.eventLoop.scheduleTask(in: Self.takingPatience) { channel.close(promise: nil) }
    try? await channel.writeAndWait(.body(ByteBuffer()))
    taking.cancel()
    channel.close(mode: .output, promise: nil)
    let closing = channel.eventLoop.scheduleTask(in: Self.closingPatience) { channel.close(promise: nil) }
    try? await channel.closeFuture.get()
    closing.cancel()
  }
}

extension Problem {
  fileprivate static func unreadable(_ error: any Error) -> Problem {
    guard error as? HTTPParserError != .headerOverflow else {
      return Problem(
        .requestHeaderFieldsTooLarge,
        detail: "Header fields may have \(RequestLimits.headerField) bytes each, and \(RequestLimits.headers) together."
      )
    }
    return .badRequest("The request is no HTTP/1.1, or ended in its middle.")
  }
}

import HTTPTypes
import NIOCore

/// The short way of the requests that a service has most: from the connection to the use case and back, with a callback
/// in place of a task (docs/adr/0010-direct-routes.md).
///
/// It takes a request only where nothing is unusual about it. All others go to the router's route of the same path, which
/// has to be there and to answer alike: a direct route makes nothing possible, only cheaper.
///
/// ```swift
/// DirectRoute.post("/orders") { fields, body in
///   try OrderDraft(from: JSONElement.Object(body: body, fields: fields))
/// } serve: { draft, answer in
///   placeOrder(draft, trace: nil, answering: { .json($0, status: .created) }, answer: answer)
/// }
/// ```
public struct DirectRoute: Sendable {
  /// Takes the answer, from any thread, exactly once. A failure becomes the problem that the router would make of it.
  public typealias Answer = @Sendable (Result<WholeAnswer, any Error>) -> Void

  /// A request that was read. Nothing is done for it before it is called.
  typealias Taken = (@escaping Answer) -> Void

  let method: HTTPRequest.Method
  let path: String
  private let read: @Sendable (HTTPFields, [UInt8]) -> Taken?

  /// For `POST` of exactly `path`, without a query.
  ///
  /// Both closures are called on the connection's event loop, and must not block.
  ///
  /// - Parameters:
  ///   - read: what is asked for, by the header fields and a body of up to 64 KiB. Where it returns nil, or throws, the
  ///     request goes to the router.
  ///   - serve: does it. Called once the requester is admitted; has to call its second argument, whatever happens.
  public static func post<Command>(
    _ path: String, read: @escaping @Sendable (HTTPFields, [UInt8]) throws -> Command?,
    serve: @escaping @Sendable (Command, @escaping Answer) -> Void
  ) -> DirectRoute {
    DirectRoute(method: .post, path: path) { fields, body in
      guard let command = try? read(fields, body) else { return nil }
      return { serve(command, $0) }
    }
  }

  private init(
    method: HTTPRequest.Method, path: String, read: @escaping @Sendable (HTTPFields, [UInt8]) -> Taken?
  ) {
    self.method = method
    self.path = path
    self.read = read
  }

  /// Whether a request goes to this method and path, letter by letter.
  func matches(_ head: HTTPRequest) -> Bool { head.method == method && head.path == path }

  /// Nil for a request that is the router's.
  func take(_ head: HTTPRequest, _ body: ByteBuffer) -> Taken? {
    guard body.readableBytes <= RequestLimits.body else { return nil }
    return read(head.headerFields, Array(body.readableBytesView))
  }
}

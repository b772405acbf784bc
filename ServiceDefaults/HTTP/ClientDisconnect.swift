import NIOCore

extension ServiceRequestContext {
  /// Runs `body`, for an answer that may be long in coming, and calls `action` if the client goes away meanwhile: when it
  /// closes its side of the connection, or the connection breaks. `body` then ends as it sees fit; its answer goes nowhere.
  ///
  /// `action` is called on the connection's event loop, perhaps more than once, and must not block. A call can come
  /// at the very moment at which `body` ends.
  public func whenClientDisconnects<Answer>(
    _ action: @escaping @Sendable () -> Void, during body: () async throws -> Answer
  ) async throws -> Answer {
    let watch = DisconnectWatch(action)
    do {
      try await channel.pipeline.addHandler(watch, name: nil, position: .last).get()
    } catch {
      // The pipeline is torn down: the client has gone already.
      action()
      return try await body()
    }
    defer { channel.pipeline.removeHandler(watch, promise: nil) }
    return try await body()
  }
}

/// Sees at the end of the pipeline what happens to the connection, and passes everything on.
///
/// A connection stays open when the client half-closes it, so the channel's own close comes too late.
private final class DisconnectWatch: ChannelInboundHandler, RemovableChannelHandler, Sendable {
  typealias InboundIn = NIOAny

  private let action: @Sendable () -> Void

  init(_ action: @escaping @Sendable () -> Void) {
    self.action = action
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event as? ChannelEvent == .inputClosed { action() }
    context.fireUserInboundEventTriggered(event)
  }

  func channelInactive(context: ChannelHandlerContext) {
    action()
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    action()
    context.fireErrorCaught(error)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    if !context.channel.isActive { action() }
  }
}

import Foundation
import NIOCore
import NIOPosix
import Synchronization
import TestSupport

/// A client's end of a connection, byte by byte.
final class RawConnection: Sendable {
  /// What has come in place of an answer that was waited for.
  fileprivate enum Arrival {
    case answer(Answer)
    case end
  }

  private let channel: any Channel
  private let received: Receiver

  init(port: Int, reads: Bool) async throws {
    let received = Receiver()
    self.received = received
    channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelOption(.autoRead, value: reads)
      .channelOption(.allowRemoteHalfClosure, value: true)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(received) }
      }
      .connect(host: "127.0.0.1", port: port).get()
  }

  func send(_ text: String) async throws { try await channel.writeAndFlush(ByteBuffer(string: text)) }

  func startReading() async throws {
    try await channel.setOption(.autoRead, value: true).get()
    channel.read()
  }

  /// Says that nothing more will be sent.
  func finish() { channel.close(mode: .output, promise: nil) }

  func close() { channel.close(promise: nil) }

  /// The next answer; nil where the server has closed the connection instead.
  func answer() async throws -> Answer? {
    switch try await eventually("an answer", every: .milliseconds(2), { self.received.take() }) {
    case .answer(let answer): answer
    case .end: nil
    }
  }
}

/// An answer with a length, or without a body.
struct Answer: Equatable {
  var status: Int
  var body: String

  init(_ status: Int, _ body: String) {
    self.status = status
    self.body = body
  }
}

private final class Receiver: ChannelInboundHandler, Sendable {
  typealias InboundIn = ByteBuffer

  private struct State {
    var text = ""
    var isOver = false
  }

  private let state = Mutex(State())

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let text = String(buffer: unwrapInboundIn(data))
    state.withLock { $0.text += text }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event as? ChannelEvent == .inputClosed { state.withLock { $0.isOver = true } }
  }

  func channelInactive(context: ChannelHandlerContext) {
    state.withLock { $0.isOver = true }
  }

  /// Nil while neither an answer nor the end is there.
  func take() -> RawConnection.Arrival? {
    state.withLock { state in
      guard let end = state.text.range(of: "\r\n\r\n") else { return state.isOver ? .end : nil }
      let head = state.text[..<end.lowerBound].lowercased()
      let fields = head.components(separatedBy: "\r\n")
      let status = fields[0].split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
      let length = fields.compactMap { field in
        field.hasPrefix("content-length: ") ? Int(field.dropFirst("content-length: ".count)) : nil
      }
      let rest = state.text[end.upperBound...]
      let size = length.first ?? 0
      guard rest.utf8.count >= size else { return nil }
      let body = String(decoding: rest.utf8.prefix(size), as: UTF8.self)
      state.text = String(decoding: rest.utf8.dropFirst(size), as: UTF8.self)
      return .answer(Answer(status, body))
    }
  }
}

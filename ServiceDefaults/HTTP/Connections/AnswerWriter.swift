import HTTPTypes
import HummingbirdCore
import NIOCore
import NIOHTTPTypes

/// Writes the body of an answer to its connection.
///
/// A body whose length is known goes out in one piece with its head and its end. Of a stream each part goes out by itself,
/// and the write returns when the kernel has taken it: that is how a slow client slows its stream down.
struct AnswerWriter: ResponseBodyWriter {
  let channel: any Channel
  let isStream: Bool

  func write(_ buffer: ByteBuffer) async throws {
    guard isStream else { return channel.write(HTTPResponsePart.body(buffer), promise: nil) }
    try await channel.writeAndWait(.body(buffer))
  }

  func finish(_ trailers: HTTPFields?) async throws {
    guard channel.isWritable else { return try await channel.writeAndWait(.end(trailers)) }
    channel.writeAndFlush(HTTPResponsePart.end(trailers), promise: nil)
  }
}

extension Channel {
  /// Returns when the kernel has taken `part`, and all before it. Who is cancelled meanwhile waits for a client that does
  /// not read: the connection is closed.
  func writeAndWait(_ part: HTTPResponsePart) async throws {
    try await withTaskCancellationHandler {
      try await writeAndFlush(part).get()
    } onCancel: {
      close(promise: nil)
    }
  }
}

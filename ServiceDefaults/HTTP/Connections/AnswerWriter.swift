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
    try await channel.writeAndFlush(HTTPResponsePart.body(buffer)).get()
  }

  func finish(_ trailers: HTTPFields?) async throws {
    let end = HTTPResponsePart.end(trailers)
    guard channel.isWritable else { return try await channel.writeAndFlush(end).get() }
    channel.writeAndFlush(end, promise: nil)
  }
}

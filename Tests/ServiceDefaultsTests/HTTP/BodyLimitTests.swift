import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import NIOPosix
import ServiceDefaults
import Testing

@Suite struct BodyLimitTests {
  @Test(arguments: [(65_536, 201), (65_537, 413), (1 << 20, 413), ((1 << 20) + 1, 413), (3 << 20, 413)])
  func aBodyOfSoManyBytesIs(size: Int, status: Int) async throws {
    try await serving(exampleRouter(), .live) { client async throws in
      let response = try await client.send(.post, "/things", jsonBody(of: size))
      #expect(response.status.code == status)
    }
  }

  /// A client that writes first and reads afterwards must not be left hanging, and its next request is answered too.
  @Test(arguments: ["/things", "/nothing", "/things?limit=0"])
  func aConnectionGoesOnAfterARefusedBody(path: String) async throws {
    try await serving(exampleRouter(), .live) { client async throws in
      for _ in 0..<3 {
        let refused = try await client.send(.post, path, jsonBody(of: 1 << 20), type: "text/plain")
        #expect(refused.status.code >= 400 && refused.status.code < 500)
        #expect(try await client.get("/things").status == .ok)
      }
    }
  }

  @Test(arguments: [("gzip", 415), ("br", 415), ("gzip, identity", 415), ("identity", 201), ("Identity", 201)])
  func aBodyThatIsCompressedIsRefusedAndToldWhatIsTaken(encoding: String, status: Int) async throws {
    try await serving(exampleRouter()) { client async throws in
      let response = try await client.executeRequest(
        uri: "/things", method: .post, headers: [.contentType: "application/json", .contentEncoding: encoding],
        body: ByteBuffer(string: #"{"name":"a"}"#))
      #expect(response.status.code == status)
      #expect(response.headers[.acceptEncoding] == (status == 415 ? "identity" : nil))
    }
  }

  @Test func whatIsNoHTTPIsRefusedAndClosed() async throws {
    try await serving(exampleRouter(), .live) { client async throws in
      for (request, status) in [
        ("nonsense\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nhost: x\r\nx: \(String(repeating: "y", count: 40_000))\r\n\r\n", "431"),
        (
          "POST /things HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
          "400"
        ),
      ] {
        let answer = try await raw(request, port: client.port ?? 0)
        #expect(answer.hasPrefix("HTTP/1.1 \(status)"), "\(request.prefix(40)): \(answer)")
      }
    }
  }

  private func jsonBody(of size: Int) -> String {
    let empty = #"{"name":"a","padding":""}"#
    return #"{"name":"a","padding":""# + String(repeating: "x", count: size - empty.utf8.count) + #""}"#
  }

  /// Sends exactly these bytes, and reads until the server closes.
  private func raw(_ request: String, port: Int) async throws -> String {
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .connect(host: "127.0.0.1", port: port) { channel in
        channel.eventLoop.makeCompletedFuture {
          try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
            wrappingChannelSynchronously: channel,
            configuration: .init(isOutboundHalfClosureEnabled: true))
        }
      }
    return try await channel.executeThenClose { inbound, outbound in
      try await outbound.write(ByteBuffer(string: request))
      outbound.finish()
      var answer = ByteBuffer()
      for try await part in inbound { answer.writeImmutableBuffer(part) }
      return String(buffer: answer)
    }
  }
}

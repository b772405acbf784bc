import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import ServiceDefaults
import TestSupport
import Testing

@Suite struct HostileRequestTests {
  @Test func noPathAndNoQueryIsAServersFault() async throws {
    let seed = UInt64.random(in: .min ... .max)
    try await serving(exampleRouter()) { client async throws in
      var random = SeededGenerator(seed: seed)
      let pieces = [
        "/", "/things", "?", "&", "=", "%", "%2", "%zz", "%00", "%ff", "%C3%A9", "#", "//", "..", "http://", "x:", ":",
        "limit", "cursor", "+", "☃", "\u{0}", "@", "[", "]", "*", "{name}", " ",
      ]
      for _ in 0..<5_000 {
        let path = (0..<Int.random(in: 0...8, using: &random)).compactMap { _ in pieces.randomElement(using: &random) }
          .joined()
        let method = [HTTPRequest.Method.get, .post, .put, .head, .options].randomElement(using: &random) ?? .get
        let status = try await client.send(method, path, method == .post ? "{}" : nil).status.code
        #expect(status < 500, "\(method) \(path): \(status), seed \(seed)")
      }
    }
  }

  @Test func noBodyIsAServersFault() async throws {
    let seed = UInt64.random(in: .min ... .max)
    try await serving(exampleRouter()) { client async throws in
      var random = SeededGenerator(seed: seed)
      let good = Array(#"{"name":"a","nested":{"list":[1,2.5e3,null,true,"\u00e9"]}}"#.utf8)
      for _ in 0..<5_000 {
        var body = good
        for _ in 0..<Int.random(in: 1...6, using: &random) where !body.isEmpty {
          let place = Int.random(in: 0..<body.count, using: &random)
          switch Int.random(in: 0..<3, using: &random) {
          case 0: body[place] = UInt8.random(in: .min ... .max, using: &random)
          case 1: body.remove(at: place)
          default: body.insert(contentsOf: body[place...].prefix(8), at: place)
          }
        }
        let response = try await client.executeRequest(
          uri: "/things", method: .post, headers: [.contentType: "application/json"], body: ByteBuffer(bytes: body))
        #expect(response.status.code < 500, "\(body), seed \(seed)")
      }
    }
  }
}

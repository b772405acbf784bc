import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import NIOPosix
import ServiceDefaults
import Synchronization
import TestSupport
import Testing
import WireFormat

/// What one connection promises, by bytes: HTTP clients would hide it.
@Suite(.timeLimit(.minutes(1))) struct ConnectionTests {
  @Test func requestsThatComeTogetherAreAnsweredInTheirOrder() async throws {
    try await talking { connection in
      let numbers = Array(1...500)

      try await connection.send(numbers.map { "GET /slow/\($0) HTTP/1.1\r\nhost: x\r\n\r\n" }.joined())

      for number in numbers { #expect(try await connection.answer() == Answer(200, "\(number)")) }
    }
  }

  @Test func aRequestIsPutTogetherFromItsBytes() async throws {
    try await talking { connection in
      let request =
        "POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"

      for byte in request { try await connection.send(String(byte)) }

      #expect(try await connection.answer() == Answer(200, "abcde"))
    }
  }

  @Test(arguments: ["close", "Close", "keep-alive, close"])
  func aConnectionThatIsToBeClosedIsClosedAfterTheAnswer(option: String) async throws {
    try await talking { connection in
      try await connection.send("GET /slow/1 HTTP/1.1\r\nhost: x\r\nconnection: \(option)\r\n\r\n")

      #expect(try await connection.answer() == Answer(200, "1"))
      #expect(try await connection.answer() == nil)
    }
  }

  @Test func aClientThatHasSaidEverythingGetsItsAnswers() async throws {
    try await talking { connection in
      try await connection.send("GET /slow/1 HTTP/1.1\r\nhost: x\r\n\r\nGET /slow/2 HTTP/1.1\r\nhost: x\r\n\r\n")
      connection.finish()

      #expect(try await connection.answer() == Answer(200, "1"))
      #expect(try await connection.answer() == Answer(200, "2"))
      #expect(try await connection.answer() == nil)
    }
  }

  @Test func aRequestWithoutItsEndIsRefusedAfterThoseBeforeIt() async throws {
    try await talking { connection in
      try await connection.send(
        "GET /slow/1 HTTP/1.1\r\nhost: x\r\n\r\nPOST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nabc")
      connection.finish()

      #expect(try await connection.answer() == Answer(200, "1"))
      let refusal = try #require(try await connection.answer())
      #expect(refusal.status == 400 && refusal.body.contains(#""status":400"#))
      #expect(try await connection.answer() == nil)
    }
  }

  /// What the kernel has not taken when the last answer is written must not go with the connection.
  @Test func aClientThatHasEndedItsSideGetsTheLastOfManyLargeAnswers() async throws {
    let router = ServiceHTTP.makeRouter()
    router.get("/large") { _, _ in
      Response.text(String(repeating: "x", count: 10_000), contentType: "text/plain")
    }
    try await serving(router, .live) { client async throws in
      let connection = try await RawConnection(port: client.port ?? 0, reads: false)
      try await connection.send(String(repeating: "GET /large HTTP/1.1\r\nhost: x\r\n\r\n", count: 2000))
      connection.finish()

      try await connection.startReading()

      for _ in 0..<2000 { #expect(try await connection.answer()?.body.utf8.count == 10_000) }
      #expect(try await connection.answer() == nil)
      connection.close()
    }
  }

  @Test func theBrokenRestOfARefusedBodyIsNotAnsweredAgain() async throws {
    try await talking { connection in
      let chunk = "10000\r\n" + String(repeating: "x", count: 65_536) + "\r\n"
      let head =
        "POST /json HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"

      try await connection.send(head + String(repeating: chunk, count: 17))
      #expect(try await connection.answer()?.status == 413)
      try await connection.send("zz\r\n")

      #expect(try await connection.answer() == nil)
    }
  }

  @Test func aClientThatWaitsToSendItsBodyIsAskedForIt() async throws {
    try await talking { connection in
      try await connection.send("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\nexpect: 100-continue\r\n\r\n")
      #expect(try await connection.answer() == Answer(100, ""))

      try await connection.send("abc")

      #expect(try await connection.answer() == Answer(200, "abc"))
    }
  }

  @Test func whoAsksForAnotherProtocolIsAnsweredInThisOneAndForTheLastTime() async throws {
    try await talking { connection in
      try await connection.send(
        "GET /slow/1 HTTP/1.1\r\nhost: x\r\nconnection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\n\r\n")

      #expect(try await connection.answer() == Answer(200, "1"))
      #expect(try await connection.answer() == nil)
    }
  }

  /// Answers that nobody takes must not pile up.
  @Test func aClientThatDoesNotReadIsNotServedOnAndOn() async throws {
    let served = Atomic(0)
    let requests = 20_000
    let router = ServiceHTTP.makeRouter()
    router.get("/large") { _, _ in
      served.add(1, ordering: .relaxed)
      return Response.text(String(repeating: "x", count: 10_000), contentType: "text/plain")
    }
    try await serving(router, .live) { client async throws in
      let connection = try await RawConnection(port: client.port ?? 0, reads: false)
      let all = String(repeating: "GET /large HTTP/1.1\r\nhost: x\r\n\r\n", count: requests)
      let sending = Task { try await connection.send(all) }

      // 200 MB of answers: what the kernel takes of them is a small part.
      var before = -1
      _ = try await eventually("the server's waiting", every: .milliseconds(200)) {
        defer { before = served.load(ordering: .relaxed) }
        return before > 0 && before == served.load(ordering: .relaxed) ? true : nil
      }

      #expect(before < requests / 2)
      connection.close()
      _ = await sending.result
    }
  }

  @Test func everyAnswerHasItsDate() async throws {
    try await serving(router(), .live) { client async throws in
      let date = try #require(try await client.get("/slow/1").headers[.date])
      #expect(date.hasSuffix(" GMT") && date.count == "Sun, 22 Nov 2026 20:21:07 GMT".count)
      #expect(try await client.get("/nothing").headers[.date] != nil)
    }
  }

  private func router() -> ServiceRouter {
    let router = ServiceHTTP.makeRouter()
    router.get("/slow/:number") { _, context in
      // Odd ones take longer: an answer that overtook another would show.
      if (context.capture("number").flatMap { Int($0) } ?? 0) % 2 == 1 { for _ in 0..<20 { await Task.yield() } }
      return Response.text(context.capture("number") ?? "", contentType: "text/plain")
    }
    router.post("/json") { request, _ in
      Response.json(JSONObject(try await request.jsonObject()))
    }
    router.post("/echo") { request, _ in
      let body = try await request.body.collect(upTo: 1000)
      return Response.text(String(buffer: body), contentType: "text/plain")
    }
    return router
  }

  private func talking(_ talk: @escaping @Sendable (RawConnection) async throws -> Void) async throws {
    try await serving(router(), .live) { client async throws in
      let connection = try await RawConnection(port: client.port ?? 0, reads: true)
      try await talk(connection)
      connection.close()
    }
  }
}

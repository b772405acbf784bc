import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import Synchronization
import TestSupport
import Testing
import WireFormat

@testable import ServiceDefaults

/// A direct route is a shorter way to the same answers, in the same order.
@Suite(.timeLimit(.minutes(1))) struct DirectRouteTests {
  // MARK: One request

  @Test func aDirectAnswerIsAsTheRoutersWouldBe() async throws {
    try await serving { client, _ async throws in
      let direct = try await client.send(.post, "/things", #"{"name":"thing"}"#)
      let usual = try await client.send(.post, "/things", #"{"name":"unusual"}"#)

      #expect(direct.text == #""direct thing""# && usual.text == #""usual unusual""#)
      #expect(direct.status == usual.status)
      #expect(direct.headers.map(\.name) == usual.headers.map(\.name))
      #expect(direct.headers[.contentType] == "application/json" && direct.headers[.location] == "/things/1")
      #expect(direct.headers[.contentLength] == "\(direct.text.utf8.count)")
      #expect(direct.headers[.date]?.hasSuffix(" GMT") == true)
    }
  }

  @Test(arguments: [
    ("/things", #"{"name":"unusual"}"#, 201), ("/things?a=b", #"{"name":"a"}"#, 201),
    ("/things/", #"{"name":"a"}"#, 201),
    ("/things", "{", 400), ("/things", "[]", 422), ("/things", "", 400),
    ("/things", #"{"name":"a"}"# + String(repeating: " ", count: 64 << 10), 413),
  ])
  func whatIsUnusualIsTheRouters(path: String, body: String, status: Int) async throws {
    try await serving { client, stage async throws in
      let answer = try await client.send(.post, path, body)

      #expect(answer.status.code == status)
      #expect(stage.served.allSatisfy { $0.hasPrefix("usual") })
    }
  }

  @Test func anotherMediaTypeIsTheRouters() async throws {
    try await serving { client, stage async throws in
      #expect(try await client.send(.post, "/things", #"{"name":"a"}"#, type: "text/plain").status.code == 415)
      #expect(stage.served.isEmpty)
    }
  }

  @Test(arguments: ["connection: close", "connection: upgrade\r\nupgrade: h2c"])
  func theLastRequestOfAConnectionIsTheRouters(fields: String) async throws {
    try await talking { connection, _ async throws in
      try await connection.send(post("a", fields: fields))

      #expect(try await connection.answer() == Answer(201, #""usual a""#))
      #expect(try await connection.answer() == nil)
    }
  }

  @Test func aClientThatWaitsToSendItsBodyIsAskedForItAndAnsweredDirectly() async throws {
    try await talking { connection, _ async throws in
      let request = post("a", fields: "expect: 100-continue")
      let end = try #require(request.range(of: "\r\n\r\n")).upperBound

      try await connection.send(String(request[..<end]))
      #expect(try await connection.answer() == Answer(100, ""))
      try await connection.send(String(request[end...]))

      #expect(try await connection.answer() == Answer(201, #""direct a""#))
    }
  }

  @Test func aStoreInTroubleAsksToComeBack() async throws {
    try await serving { client, _ async throws in
      let answer = try await client.send(.post, "/things", #"{"name":"full"}"#)

      #expect(answer.status == .serviceUnavailable && answer.headers[.retryAfter] == "1")
      #expect(answer.headers[.contentType] == "application/problem+json" && !answer.text.contains("disk"))
    }
  }

  @Test(arguments: ["a", "unusual"])
  func aClientOfHTTP10IsAnsweredAsOneOf11(name: String) async throws {
    try await talking { connection, _ async throws in
      try await connection.send(post(name).replacing("HTTP/1.1", with: "HTTP/1.0"))
      #expect(try await connection.answer()?.status == 201)

      connection.finish()

      #expect(try await connection.answer() == nil)
    }
  }

  // MARK: Many on a connection

  @Test func directAndOtherRequestsThatComeTogetherAreAnsweredInTheirOrder() async throws {
    try await talking { connection, stage async throws in
      try await connection.send(post("held") + get("/slow") + post("b") + post("unusual"))
      await stage.holding()
      stage.release()

      #expect(try await connection.answer() == Answer(200, #""direct held""#))
      #expect(try await connection.answer() == Answer(200, #""slow""#))
      #expect(try await connection.answer() == Answer(201, #""usual b""#))
      #expect(try await connection.answer() == Answer(201, #""usual unusual""#))
      try await connection.send(post("c"))
      #expect(try await connection.answer() == Answer(201, #""direct c""#))
    }
  }

  /// More than the queue holds: the connection is not read meanwhile, and again once there is room.
  @Test func manyRequestsBehindADirectOneWaitForItsAnswer() async throws {
    try await talking { connection, stage async throws in
      try await connection.send(post("held"))
      await stage.holding()
      for number in 1...5000 { try await connection.send(post("\(number)")) }
      #expect(stage.served == ["direct held"])

      stage.release()

      #expect(try await connection.answer() == Answer(200, #""direct held""#))
      for number in 1...5000 {
        let answer = try await connection.answer()
        #expect(answer?.status == 201 && answer?.body.hasSuffix(#" \#(number)""#) == true)
      }
    }
  }

  @Test func oneAfterAnotherEveryRequestIsAnsweredDirectly() async throws {
    try await talking { connection, _ async throws in
      for number in 1...500 {
        try await connection.send(post("\(number)"))
        #expect(try await connection.answer() == Answer(201, #""direct \#(number)""#))
      }
    }
  }

  @Test func whatIsNoHTTPIsRefusedAfterTheDirectAnswerBeforeIt() async throws {
    try await talking { connection, stage async throws in
      try await connection.send(post("held") + "nonsense\r\n\r\n")
      await stage.holding()
      stage.release()

      #expect(try await connection.answer() == Answer(200, #""direct held""#))
      #expect(try await connection.answer()?.status == 400)
      #expect(try await connection.answer() == nil)
    }
  }

  // MARK: Clients that go, or do not read

  @Test func aClientThatHasSaidEverythingGetsItsDirectAnswer() async throws {
    try await serving { client, _ async throws in
      for _ in 0..<50 {
        let connection = try await RawConnection(port: client.port ?? 0, reads: true)
        try await connection.send(post("a"))
        connection.finish()

        #expect(try await connection.answer() == Answer(201, #""direct a""#))
        #expect(try await connection.answer() == nil)
        connection.close()
      }
    }
  }

  @Test func aClientThatHasGoneBeforeItsAnswerDoesNoHarm() async throws {
    try await serving { client, stage async throws in
      let connection = try await RawConnection(port: client.port ?? 0, reads: true)
      try await connection.send(post("held"))
      await stage.holding()

      connection.close()
      stage.release()

      #expect(stage.served == ["direct held"])
      #expect(try await client.send(.post, "/things", #"{"name":"b"}"#).text == #""direct b""#)
    }
  }

  /// It sends each request when the one before it was served, so that each could go directly.
  @Test func aClientThatDoesNotReadIsNotServedOnAndOn() async throws {
    try await serving { client, stage async throws in
      let connection = try await RawConnection(port: client.port ?? 0, reads: false)
      var served = 0
      while served < 5000 {
        try await connection.send(post("large"))
        let goesOn = try? await eventually("an answer", within: .seconds(5), every: .milliseconds(1)) {
          stage.served.count > served ? true : nil
        }
        if goesOn == nil { break }
        served += 1
      }

      // 50 MB of answers: what the kernel takes of them is a small part.
      #expect(served > 0 && served < 5000)
      connection.close()
    }
  }

  // MARK: Access, metrics, log

  @Test func whoMayNotIsRefusedAndNothingIsDone() async throws {
    let access = AccessControl(tokens: try AccessTokens(parsing: "shop:operate,looker:read"))
    try await serving(access: access) { client, stage async throws in
      for body in [#"{"name":"a"}"#, #"{"name":"unusual"}"#, "{"] {
        let nobody = try await client.send(.post, "/things", body)
        #expect(nobody.status == .unauthorized && nobody.headers[.wwwAuthenticate] == #"Bearer realm="orderflow""#)
        #expect(try await client.send(.post, "/things", body, token: "looker").status == .forbidden)
      }
      #expect(stage.served.isEmpty)
      let shop = try await client.send(.post, "/things", #"{"name":"a"}"#, token: "shop")
      #expect(shop.text == #""direct a""#)
    }
  }

  @Test(arguments: [["a", "b", "c"], ["unusual", "unusual", "unusual"], ["a", "unusual", "b"]])
  func eachRequestCountsOnceAgainstTheRate(names: [String]) async throws {
    let now = ContinuousClock.now
    try await serving(access: AccessControl(tokens: nil, rateLimit: 3, now: { now })) { client, _ async throws in
      for name in names { #expect(try await client.send(.post, "/things", #"{"name":"\#(name)"}"#).status == .created) }

      let refused = try await client.send(.post, "/things", #"{"name":"a"}"#)
      #expect(refused.status == .tooManyRequests && refused.headers[.retryAfter] == "1")
    }
  }

  @Test func eachRequestIsCountedAndLoggedOnceWhicheverWayItGoes() async throws {
    let (stage, registry, log) = (DirectStage(), PrometheusRegistry(), LinesInMemory())
    let application = ServiceHTTP.application(
      router: stage.router(), directRoutes: stage.routes, metrics: registry,
      logger: Logger(label: "http") { ServiceLogHandler(label: $0, format: .json, logLevel: .debug, sink: log) })

    try await application.test(.live) { client in
      for name in ["a", "b", "unusual", "full"] {
        _ = try await client.send(.post, "/things", #"{"name":"\#(name)"}"#)
      }
    }

    let series = #"http_server_request_duration_seconds_count{http_request_method="POST","#
    let metrics = registry.render()
    #expect(metrics.contains(#"\#(series)http_response_status_code="201",http_route="/things"} 3"#), "\(metrics)")
    #expect(metrics.contains(#"\#(series)http_response_status_code="503",http_route="/things"} 1"#))
    #expect(metrics.contains("http_server_active_requests 0"))
    let answered = try log.lines.compactMap { try JSONValue(parsing: Array($0.dropLast())).object }
      .filter { $0["message"]?.string == "Request answered" }.compactMap { $0["metadata"]?.object }
    #expect(answered.map { $0["http.response.status_code"]?.string } == ["201", "201", "201", "503"])
    #expect(answered.allSatisfy { $0["url.path"]?.string == "/things" && $0["http.request.method"]?.string == "POST" })
  }

  // MARK: -

  private func serving(
    access: AccessControl = .none,
    _ test: @escaping @Sendable (any TestClientProtocol, DirectStage) async throws -> Void
  ) async throws {
    let stage = DirectStage()
    try await ServiceDefaultsTests.serving(stage.router(), directly: stage.routes, .live, access: access) {
      client async throws in
      // What is held for ever would keep the server from its end.
      defer { stage.release() }
      try await test(client, stage)
    }
  }

  private func talking(_ talk: @escaping @Sendable (RawConnection, DirectStage) async throws -> Void) async throws {
    try await serving { client, stage async throws in
      let connection = try await RawConnection(port: client.port ?? 0, reads: true)
      try await talk(connection, stage)
      connection.close()
    }
  }
}

/// A request for ``DirectStage``.
func post(_ name: String, fields: String? = nil) -> String {
  let body = #"{"name":"\#(name)"}"#
  let more = fields.map { $0 + "\r\n" } ?? ""
  return "POST /things HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\(more)"
    + "content-length: \(body.utf8.count)\r\n\r\n\(body)"
}

private func get(_ path: String) -> String { "GET \(path) HTTP/1.1\r\nhost: x\r\n\r\n" }

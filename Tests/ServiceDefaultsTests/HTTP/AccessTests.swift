import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Synchronization
import Testing
import WireFormat

@testable import ServiceDefaults

@Suite struct AccessTests {
  /// Paths of every kind, with the tokens that may use them.
  private static let doors: [(HTTPRequest.Method, String, Set<String>)] = [
    (.post, "/orders", ["shop"]), (.post, "/orders/o-1/cancel", ["shop"]), (.get, "/orders", ["looker"]),
    (.head, "/orders/o-1", ["looker"]), (.put, "/products/p-1", ["stocker"]),
    (.post, "/products/p-1/restock", ["stocker"]), (.get, "/products", ["looker"]),
    (.get, "/emails/m-1/html", ["looker"]), (.get, "/openapi.json", ["looker"]),
    (.get, "/consumers", ["looker", "operator"]), (.get, "/outbox", ["looker", "operator"]),
    (.get, "/dead-letters/1", ["looker", "operator"]), (.get, "/parked", ["looker", "operator"]),
    (.post, "/dead-letters/1/redrive", ["operator"]), (.post, "/dead-letters/1/discard", ["operator"]),
    (.post, "/parked/o-1/discard", ["operator"]), (.post, "/outbox/replay", ["operator"]),
    (.delete, "/whatever", ["operator"]),
    // Spellings that the router takes for the same path.
    (.post, "//dead-letters//1/redrive/", ["operator"]), (.post, "/orders/", ["shop"]),
  ]

  @Test func everyDoorOpensToItsScopesOnly() throws {
    let tokens = try AccessTokens(
      parsing: "shop:orders, looker:read ,stocker:stock,operator:operate,all:orders+operate")
    let control = AccessControl(tokens: tokens)
    for (method, path, allowed) in Self.doors {
      for token in ["shop", "looker", "stocker", "operator"] {
        let outcome = Result { try control.admit(request(method, path, token: token), from: nil) }
        switch outcome {
        case .success(let requester):
          #expect(allowed.contains(token), "\(method) \(path) let \(token) in")
          #expect(requester.utf8.count == 8)
        case .failure(let error):
          #expect(!allowed.contains(token) && (error as? Problem)?.status == .forbidden, "\(method) \(path) \(token)")
        }
      }
    }
    #expect(try control.admit(request(.post, "/orders", token: "all"), from: nil).utf8.count == 8)
  }

  @Test func healthReadinessAndMetricsNeedNoToken() async throws {
    let router = exampleRouter()
    for path in ["/health", "/ready", "/metrics"] { router.get(RouterPath(path)) { _, _ in Response.json(true) } }
    try await serving(router, access: AccessControl(tokens: try AccessTokens(parsing: "secret:read"))) {
      client async throws in
      for path in ["/health", "/ready", "/metrics", "/health/"] {
        #expect(try await client.get(path).status == .ok, "\(path)")
      }
      #expect(try await client.send(.post, "/health").status == .unauthorized)
      #expect(try await client.get("/health/more").status == .unauthorized)
    }
  }

  @Test func whoHasNoTokenIsToldHowToShowOne() async throws {
    try await serving(exampleRouter(), access: AccessControl(tokens: try AccessTokens(parsing: "secret:read"))) {
      client async throws in
      let none = try await client.get("/things")
      #expect(none.status == .unauthorized)
      #expect(none.headers[.wwwAuthenticate] == #"Bearer realm="orderflow""#)
      #expect(none.headers[.contentType] == "application/problem+json")

      let wrong = try await client.send(.get, "/things", token: "secre")
      #expect(wrong.status == .unauthorized)
      #expect(wrong.headers[.wwwAuthenticate]?.contains("invalid_token") == true)

      let right = try await client.send(.get, "/things", token: "secret")
      #expect(right.status == .ok)

      let other = try await client.send(.post, "/things", "{", token: "secret")
      #expect(other.status == .forbidden)
      #expect(other.headers[.wwwAuthenticate]?.contains(#"error="insufficient_scope", scope="operate""#) == true)
      // A path that is none tells nothing to those who may not look.
      #expect(try await client.get("/nothing").status == .unauthorized)
      #expect(try await client.send(.get, "/nothing", token: "secret").status == .notFound)
    }
  }

  @Test(arguments: ["secret", "Basic secret", "Bearer", "Bearer  ", "Bearer secret more", "Bearersecret"])
  func whatIsNoBearerHeaderIsNoToken(header: String) async throws {
    let control = AccessControl(tokens: try AccessTokens(parsing: "secret:read"))
    var headers = HTTPFields()
    headers[.authorization] = header
    #expect(throws: Problem.self) { try control.admit(request(.get, "/x", headers: headers), from: nil) }
  }

  @Test func theSchemesCaseDoesNotMatter() throws {
    let control = AccessControl(tokens: try AccessTokens(parsing: "secret:read"))
    let named = try control.admit(request(.get, "/x", headers: [.authorization: "bearer secret"]), from: nil)
    // printf secret | sha256sum
    #expect(named == "2bb80d53")
  }

  @Test func aHandlerKnowsWhoAsks() async throws {
    let router = ServiceHTTP.makeRouter()
    router.get("/who") { _, context in Response.json(context.requester) }
    try await serving(router) { client async throws in #expect(try await client.get("/who").text == #""anonymous""#) }
    try await serving(router, access: AccessControl(tokens: try AccessTokens(parsing: "secret:read"))) {
      client async throws in
      #expect(try await client.send(.get, "/who", token: "secret").text == #""2bb80d53""#)
    }
  }

  @Test func aRefusedListOfTokensTellsNoToken() {
    for text in ["hidden", "hidden:none", "hidden:read,hidden:read", "hid den:read", "fine:read,hidden"] {
      let refusal = #expect(throws: AccessTokens.Refusal.self) { try AccessTokens(parsing: text) }
      #expect(refusal?.description.contains("hid") == false)
    }
  }

  @Test func beyondItsRateAClientIsToldToComeBack() async throws {
    let now = ContinuousClock.now
    let access = AccessControl(tokens: nil, rateLimit: 3, now: { now })
    try await serving(exampleRouter(), access: access) { client async throws in
      for _ in 1...3 { #expect(try await client.get("/things").status == .ok) }
      let refused = try await client.get("/things")
      #expect(refused.status == .tooManyRequests)
      #expect(refused.headers[.retryAfter] == "1")
      #expect(try await client.get("/health").status == .notFound)
    }
  }

  @Test func eachClientHasAnAllowanceOfItsOwnThatComesBack() {
    let clock = Mutex(ContinuousClock.now)
    let limiter = RateLimiter(requestsPerSecond: 2, now: { clock.withLock { $0 } })
    #expect([1, 2, 3].map { _ in limiter.refusal(of: "a") } == [nil, nil, 1])
    #expect(limiter.refusal(of: "b") == nil)
    clock.withLock { $0 += .milliseconds(500) }
    #expect([1, 2].map { _ in limiter.refusal(of: "a") } == [nil, 1])
    clock.withLock { $0 += .seconds(60) }
    #expect([1, 2, 3].map { _ in limiter.refusal(of: "a") } == [nil, nil, 1])
  }

  @Test func clientsThatHaveRestedAreForgotten() {
    let clock = Mutex(ContinuousClock.now)
    let limiter = RateLimiter(requestsPerSecond: 1, now: { clock.withLock { $0 } })
    for index in 0..<10_000 {
      clock.withLock { $0 += .milliseconds(10) }
      _ = limiter.refusal(of: "client \(index)")
    }
    #expect(limiter.remembered <= 1024)
  }
}

private func request(
  _ method: HTTPRequest.Method, _ path: String, token: String? = nil, headers: HTTPFields = [:]
) -> Request {
  var headers = headers
  if let token { headers[.authorization] = "Bearer \(token)" }
  return Request(
    head: HTTPRequest(method: method, scheme: nil, authority: nil, path: path, headerFields: headers),
    body: RequestBody(buffer: .init()))
}

import EventSchema
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Messaging
import NIOCore
import ServiceDefaults
import Testing
import WireFormat

@Suite struct ProblemTests {
  @Test func badInputOfEachClassIsAProblemOfItsStatus() async throws {
    try await serving(exampleRouter()) { client async throws in
      let cases: [(String, TestResponse, Int)] = [
        ("no JSON", try await client.send(.post, "/things", "{"), 400),
        ("an empty body", try await client.send(.post, "/things", ""), 400),
        (
          "no UTF-8",
          try await client.executeRequest(
            uri: "/things", method: .post, headers: [.contentType: "application/json"],
            body: ByteBuffer(bytes: [0x22, 0xFF, 0x22])), 400
        ),
        ("deep nesting", try await client.send(.post, "/things", String(repeating: "[", count: 60_000)), 400),
        ("another type", try await client.send(.post, "/things", "{}", type: "text/plain"), 415),
        (
          "another character set",
          try await client.send(
            .post, "/things", "{}", type: "application/json; charset=latin1"), 415
        ),
        ("no type", try await client.send(.post, "/things", "{}", type: nil), 415),
        ("no object", try await client.send(.post, "/things", "[]"), 422),
        ("a missing field", try await client.send(.post, "/things", "{}"), 422),
        ("a bad query", try await client.get("/things?limit=0"), 422),
        ("a bad identifier to create", try await client.send(.put, "/things/%20", "{}"), 422),
        ("a bad identifier to look up", try await client.get("/things/%20"), 404),
        ("a broken escape", try await client.get("/things/%zz"), 404),
        ("another path", try await client.get("/nothing"), 404),
        ("another method", try await client.send(.delete, "/things"), 405),
        ("a long path", try await client.get("/" + String(repeating: "x", count: 9000)), 414),
      ]
      for (name, response, status) in cases {
        #expect(response.status.code == status, "\(name): \(response.status) \(response.text)")
        #expect(response.headers[.contentType] == "application/problem+json", "\(name)")
        let problem = try response.json()
        #expect(problem["status"]?.number?.int64 == Int64(status), "\(name)")
        #expect(problem["type"]?.string == "about:blank" && problem["title"]?.string?.isEmpty == false, "\(name)")
        #expect(problem["detail"]?.string?.isEmpty == false, "\(name)")
      }
    }
  }

  @Test func aWrongMethodIsToldTheRightOnes() async throws {
    try await serving(exampleRouter()) { client async throws in
      #expect(try await client.send(.patch, "/things").headers[.allow] == "GET, HEAD, POST")
      #expect(try await client.send(.post, "/things/a", "{}").headers[.allow] == "GET, HEAD, PUT")
    }
  }

  @Test func typesThatAreJSONAreTaken() async throws {
    try await serving(exampleRouter()) { client async throws in
      for type in ["application/json; charset=utf-8", "Application/JSON", "application/vnd.x+json"] {
        #expect(try await client.send(.post, "/things", #"{"name":"a"}"#, type: type).status == .created)
      }
    }
  }

  @Test func anUnexpectedErrorTellsNothingOfItself() async throws {
    try await serving(exampleRouter()) { client async throws in
      let response = try await client.get("/fails")
      #expect(response.status == .internalServerError)
      #expect(!response.text.contains("secret"))
    }
  }

  @Test func aStoreInTroubleAsksToComeBack() async throws {
    try await serving(exampleRouter()) { client async throws in
      let response = try await client.get("/full")
      #expect(response.status == .serviceUnavailable)
      #expect(response.headers[.retryAfter] == "1")
      #expect(!response.text.contains("disk"))
    }
  }

  @Test func aHeadHasNoBodyWhateverTheAnswerIs() async throws {
    try await serving(exampleRouter(), .live) { client async throws in
      for path in ["/things", "/nothing", "/fails", "/things?limit=0"] {
        let head = try await client.send(.head, path)
        #expect(head.body.readableBytes == 0)
        #expect(try await client.get(path).status == head.status)
      }
    }
  }

  @Test func aBodyThatMayBeMissingIsAnEmptyObject() async throws {
    try await serving(exampleRouter()) { client async throws in
      #expect(try await client.send(.post, "/optional").text == "0")
      #expect(try await client.send(.post, "/optional", #"{"a":1}"#).text == "1")
      #expect(try await client.send(.post, "/optional", "nonsense").status == .badRequest)
    }
  }
}

/// A resource in the way of the services.
func exampleRouter() -> ServiceRouter {
  let router = ServiceHTTP.makeRouter()
  router.post("/things") { request, _ in
    var fields = FieldValidator(try await request.jsonObject())
    let name = fields.identifier("name", as: ProductID.self)
    try fields.check()
    return Response.json(name, status: .created)
  }
  router.get("/things") { request, _ in
    var query = request.query()
    let limit = query.limit()
    try query.check()
    return Response.json(limit)
  }
  router.get("/things/:name") { _, context in
    Response.json(try context.identifier("name", as: ProductID.self))
  }
  router.put("/things/:name") { _, context in
    Response.json(try context.validIdentifier("name", as: ProductID.self))
  }
  router.post("/optional") { request, _ in
    Response.json(JSONObject(try await request.jsonObject(allowingEmpty: true)).members.count)
  }
  router.get("/fails") { _, _ -> Response in throw SecretError() }
  router.get("/full") { _, _ -> Response in throw StoreUnavailable("the disk is full") }
  return router
}

private struct SecretError: Error, CustomStringConvertible {
  var description: String { "secret" }
}

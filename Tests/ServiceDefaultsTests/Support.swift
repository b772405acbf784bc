import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import ServiceDefaults
import WireFormat

extension ServiceIdentity {
  static let example = ServiceIdentity(
    name: "example-service", displayName: "ExampleService", defaultPort: 8090, consumes: ["orders"],
    produces: ["inventory"])
}

extension TestResponse {
  var text: String { String(buffer: body) }

  func json() throws -> JSONObject {
    let value = try JSONValue(parsing: Array(body.readableBytesView))
    return value.object ?? JSONObject()
  }

  /// The problem's pointers, in their order.
  func pointers() throws -> [String] {
    try (json()["errors"]?.array ?? []).compactMap { $0.object?["pointer"]?.string }
  }
}

extension TestClientProtocol {
  func send(
    _ method: HTTPRequest.Method, _ uri: String, _ body: String? = nil, type: String? = "application/json",
    token: String? = nil
  ) async throws -> TestResponse {
    var headers = HTTPFields()
    if let token { headers[.authorization] = "Bearer \(token)" }
    if body != nil { headers[.contentType] = type }
    return try await executeRequest(
      uri: uri, method: method, headers: headers, body: body.map { ByteBuffer(string: $0) })
  }

  func get(_ uri: String) async throws -> TestResponse { try await send(.get, uri) }
}

/// Runs `test` against `router`, as a service would serve it.
func serving(
  _ router: ServiceRouter, directly directRoutes: [DirectRoute] = [], _ setup: TestingSetup = .router,
  access: AccessControl = .none, _ test: @escaping @Sendable (any TestClientProtocol) async throws -> Void
) async throws {
  let application = ServiceHTTP.application(router: router, directRoutes: directRoutes, access: access)
  try await application.test(setup) { try await test($0) }
}

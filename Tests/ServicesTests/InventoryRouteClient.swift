import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import ServiceDefaults
import WireFormat

/// Talks to a service's routes as a client does, without a socket.
struct RouteClient: Sendable {
  private let application: Application<ServiceResponder>

  init(router: ServiceRouter) {
    application = ServiceHTTP.application(router: router)
  }

  func get(_ path: String) async throws -> RouteAnswer { try await send(.get, path) }
  func put(_ path: String, _ json: String) async throws -> RouteAnswer { try await send(.put, path, json) }
  func post(_ path: String, _ json: String) async throws -> RouteAnswer { try await send(.post, path, json) }

  func send(
    _ method: HTTPRequest.Method, _ path: String, _ body: String? = nil, contentType: String = "application/json"
  ) async throws -> RouteAnswer {
    let headers: HTTPFields = body == nil ? [:] : [.contentType: contentType]
    return try await application.test(.router) { client in
      let response = try await client.executeRequest(
        uri: path, method: method, headers: headers, body: body.map { ByteBuffer(string: $0) })
      return RouteAnswer(
        status: response.status.code, headers: response.headers, body: Array(response.body.readableBytesView))
    }
  }

  /// Every element of a list, page by page.
  func all(_ path: String, _ name: String, limit: Int) async throws -> [JSONObject] {
    var elements: [JSONObject] = []
    var cursor: String?
    repeat {
      let separator = path.contains("?") ? "&" : "?"
      let page = try await get("\(path)\(separator)limit=\(limit)" + (cursor.map { "&cursor=\($0)" } ?? ""))
      elements += page.list(name)
      cursor = page["next_cursor"]?.string
    } while cursor != nil
    return elements
  }
}

struct RouteAnswer: Sendable {
  let status: Int
  let headers: HTTPFields
  let body: [UInt8]

  var text: String { String(decoding: body, as: UTF8.self) }

  subscript(_ member: String) -> JSONValue? { (try? JSONValue(parsing: body))?.object?[member] }

  func list(_ name: String) -> [JSONObject] { (self[name]?.array ?? []).compactMap(\.object) }

  /// The pointers of a problem's field errors.
  var pointers: [String] { list("errors").compactMap { $0["pointer"]?.string } }
}

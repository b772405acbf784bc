import AsyncHTTPClient
import NIOCore
import WireFormat

/// An answer, read whole.
public struct ServiceAnswer: Sendable {
  public var status: Int
  public var headers: [(name: String, value: String)]
  public var body: [UInt8]

  /// The body as JSON.
  public func json() throws -> JSONObject {
    guard case .object(let object) = try JSONValue(parsing: body) else {
      throw JSONParseErrorInAnswer(text: String(decoding: body, as: UTF8.self))
    }
    return object
  }

  public func header(_ name: String) -> String? {
    headers.first { $0.name.lowercased() == name.lowercased() }?.value
  }

  public struct JSONParseErrorInAnswer: Error { public let text: String }
}

/// Talks to one service as any HTTP client would.
public struct ServiceClient: Sendable {
  public let base: String
  /// Sent with each request, where there is one.
  public var token: String?

  public init(base: String, token: String? = nil) {
    self.base = base
    self.token = token
  }

  public func get(_ path: String) async throws -> ServiceAnswer {
    try await send("GET", path)
  }

  public func send(
    _ method: String, _ path: String, body: [UInt8]? = nil, contentType: String = "application/json",
    headers: [(name: String, value: String)] = []
  ) async throws -> ServiceAnswer {
    var request = HTTPClientRequest(url: base + path)
    request.method = .init(rawValue: method)
    if let token { request.headers.add(name: "authorization", value: "Bearer \(token)") }
    for header in headers { request.headers.add(name: header.name, value: header.value) }
    if let body {
      request.body = .bytes(body)
      request.headers.add(name: "content-type", value: contentType)
    }
    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(90))
    let bytes = try await response.body.collect(upTo: 64 << 20)
    return ServiceAnswer(
      status: Int(response.status.code), headers: response.headers.map { ($0.name, $0.value) },
      body: Array(bytes.readableBytesView))
  }

  public func send(
    _ method: String, _ path: String, json: String, headers: [(name: String, value: String)] = []
  ) async throws -> ServiceAnswer {
    try await send(method, path, body: Array(json.utf8), headers: headers)
  }

  /// Every element of a list route, page by page.
  public func all(_ path: String, _ member: String) async throws -> [JSONObject] {
    var elements: [JSONObject] = []
    var cursor: String?
    repeat {
      let separator = path.contains("?") ? "&" : "?"
      let page = try await get(
        path + separator + "limit=1000" + (cursor.map { "&cursor=" + $0 } ?? "")
      ).json()
      elements += (page[member]?.array ?? []).compactMap(\.object)
      cursor = page["next_cursor"]?.string
    } while cursor != nil
    return elements
  }
}

import AsyncHTTPClient
import Foundation
import NIOCore
import WireFormat

/// Calls one service's routes.
struct ServiceClient: Sendable {
  /// What messages call it: `OrderService`.
  let name: String
  /// Without a slash at the end.
  let baseURL: String
  private let token: String?
  private let http: HTTPClient

  /// - Parameters:
  ///   - token: sent with each request; nil for none.
  ///   - http: whose connections are used; the client of the whole process where none is given.
  init(
    name: String, baseURL: String, token: String? = AccessToken.own, http: HTTPClient = ServiceClient.shared
  ) {
    self.name = name
    self.token = token
    self.baseURL = baseURL.hasSuffix("/") ? String(baseURL.dropLast()) : baseURL
    self.http = http
  }

  /// The same service over other connections.
  func over(_ http: HTTPClient) -> ServiceClient {
    ServiceClient(name: name, baseURL: baseURL, token: token, http: http)
  }

  /// A service's answer, whatever its status.
  struct Answer: Sendable {
    var status: Int
    var body: [UInt8]
    /// After how long a refused request may be sent again, where the service says so.
    var retryAfter: Duration?
    /// Whether the service repeats what it has answered to the same idempotency key before.
    var isReplayed = false

    /// The body where it is a JSON object, nested as deep as any reader goes.
    var object: JSONObject? { (try? JSONValue(parsing: body, maximumDepth: JSONValue.deepestNesting))?.object }

    var isSuccess: Bool { (200..<300).contains(status) }

    /// Why the service refused, in its own words.
    var problem: String {
      let problem = object
      let fields = (problem?["errors"]?.array ?? []).compactMap { field -> String? in
        guard let pointer = field.object?["pointer"]?.string, let detail = field.object?["detail"]?.string else {
          return nil
        }
        return "\(pointer) \(detail)"
      }
      // The detail of a problem with fields only repeats the first of them.
      let reasons = fields.isEmpty ? [problem?["detail"]?.string].compactMap { $0 } : fields
      let title = [problem?["title"]?.string].compactMap { $0 }
      let text = (title + (reasons.isEmpty ? [] : [reasons.joined(separator: "; ")])).joined(separator: ": ")
      let hint = status == 401 ? " (ORDERFLOW_TOKEN is the token that this sends)" : ""
      return (text.isEmpty ? "status \(status)" : "\(status) \(text)").printable + hint
    }
  }

  /// There is no answer. Whether the request has had its effect is open, unless it never left.
  struct NoAnswer: Error, Sendable, Hashable {
    var reason: String
    /// No connection was made, so the service has not seen the request.
    var isUnsent: Bool
  }

  /// - Throws: ``Failure`` when there is no answer within `timeout`; any status is an answer.
  func send(
    _ method: String, _ path: String, query: [(name: String, value: String)] = [],
    headers: [(name: String, value: String)] = [], body: [UInt8]? = nil, timeout: Duration = .seconds(30)
  ) async throws -> Answer {
    do {
      return try await exchange(method, path, query: query, headers: headers, body: body, timeout: timeout)
    } catch let error as NoAnswer {
      throw Failure("\(name) does not answer at \(baseURL) (\(error.reason)); is `orderflow up` running?")
    }
  }

  /// The same for who has to know what a missing answer means.
  ///
  /// - Throws: ``NoAnswer``, `CancellationError`.
  func exchange(
    _ method: String, _ path: String, query: [(name: String, value: String)] = [],
    headers: [(name: String, value: String)] = [], body: [UInt8]? = nil, timeout: Duration = .seconds(30)
  ) async throws -> Answer {
    var request = HTTPClientRequest(url: baseURL + path + Self.encoded(query))
    request.method = .init(rawValue: method)
    if let token { request.headers.add(name: "authorization", value: "Bearer \(token)") }
    for header in headers { request.headers.add(name: header.name, value: header.value) }
    if let body {
      request.headers.add(name: "content-type", value: "application/json")
      request.body = .bytes(body)
    }
    do {
      let response = try await http.execute(request, timeout: .milliseconds(timeout.milliseconds))
      let bytes = try await response.body.collect(upTo: Self.largestBody)
      let seconds = response.headers.first(name: "retry-after").flatMap { Int64($0) }
      return Answer(
        status: Int(response.status.code), body: Array(buffer: bytes),
        retryAfter: seconds.map { .seconds(min(max($0, 0), 3600)) },
        isReplayed: response.headers.first(name: "idempotency-replayed") == "true")
    } catch let cancellation as CancellationError {
      throw cancellation
    } catch {
      if Task.isCancelled { throw CancellationError() }
      let reason = Self.reason(error)
      throw NoAnswer(reason: reason, isUnsent: Self.unsentReasons.contains(reason))
    }
  }

  /// - Throws: ``Failure`` unless the answer is a 2xx with a JSON object.
  func get(
    _ path: String, query: [(name: String, value: String)] = [], timeout: Duration = .seconds(30)
  ) async throws -> JSONObject {
    let answer = try await send("GET", path, query: query, timeout: timeout)
    guard answer.isSuccess else { throw Failure("\(name) answered GET \(path) with \(answer.problem)") }
    guard let object = answer.object else {
      throw Failure("\(name) answered GET \(path) with something that is not a JSON object")
    }
    return object
  }

  /// A 2xx as its JSON object, a 404 as nil.
  func find(
    _ path: String, query: [(name: String, value: String)] = [], timeout: Duration = .seconds(30)
  ) async throws -> JSONObject? {
    let answer = try await send("GET", path, query: query, timeout: timeout)
    if answer.status == 404 { return nil }
    guard answer.isSuccess, let object = answer.object else {
      throw Failure("\(name) answered GET \(path) with \(answer.problem)")
    }
    return object
  }

  /// Sends a request that may be repeated, and does so while the service says that it is overloaded (429, 503).
  ///
  /// - Throws: ``Failure`` when it still says so after ``patience`` tries.
  func sendPatiently(_ method: String, _ path: String, body: [UInt8]?, timeout: Duration) async throws -> Answer {
    for _ in 1..<Self.patience {
      let answer = try await send(method, path, body: body, timeout: timeout)
      guard answer.status == 429 || answer.status == 503 else { return answer }
      try await Task.sleep(for: min(answer.retryAfter ?? .seconds(1), .seconds(30)))
    }
    let answer = try await send(method, path, body: body, timeout: timeout)
    guard answer.status != 429, answer.status != 503 else {
      throw Failure("\(name) cannot do this now: \(answer.problem)")
    }
    return answer
  }

  private static let patience = 10

  /// A text as one segment of a path.
  static func segment(_ text: String) -> String {
    text.addingPercentEncoding(withAllowedCharacters: unreserved) ?? ""
  }

  // MARK: The client below

  private static let largestBody = 256 << 20

  /// Lives as long as the process.
  static let shared = HTTPClient(eventLoopGroupProvider: .singleton, configuration: http(connections: 8))

  /// Up to `connections` to each service, kept open between requests. A refused connection is an answer here, not a
  /// reason to go on trying.
  static func http(connections: Int) -> HTTPClient.Configuration {
    var configuration = HTTPClient.Configuration()
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = connections
    configuration.timeout.connect = .seconds(5)
    return configuration
  }

  private static func encoded(_ query: [(name: String, value: String)]) -> String {
    guard !query.isEmpty else { return "" }
    return "?" + query.map { "\($0.name)=\(segment($0.value))" }.joined(separator: "&")
  }

  /// RFC 3986, section 2.3.
  private static let unreserved = CharacterSet(
    charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

  /// The error of a connection attempt (NIOPosix's) is a list of all addresses that were tried.
  private static func reason(_ text: String) -> String {
    text.localizedCaseInsensitiveContains("connection refused") ? refused : text.printable
  }

  private static let refused = "connection refused"
  private static let noConnection = "no connection in time"
  private static let unsentReasons: Set<String> = [refused, noConnection]

  private static func reason(_ error: any Error) -> String {
    switch error {
    case let error as HTTPClientError where error == .connectTimeout: noConnection
    case let error as HTTPClientError where error == .deadlineExceeded || error == .readTimeout: "no answer in time"
    default: reason("\(error)")
    }
  }
}

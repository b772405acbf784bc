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

  /// - Parameter token: sent with each request; nil for none.
  init(name: String, baseURL: String, token: String? = AccessToken.own) {
    self.name = name
    self.token = token
    self.baseURL = baseURL.hasSuffix("/") ? String(baseURL.dropLast()) : baseURL
  }

  /// A service's answer, whatever its status.
  struct Answer: Sendable {
    var status: Int
    var body: [UInt8]

    var isSuccess: Bool { (200..<300).contains(status) }

    /// Why the service refused, in its own words.
    var problem: String {
      let problem = (try? JSONValue(parsing: body))?.object
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

  /// - Throws: ``Failure`` when there is no answer within `timeout`; any status is an answer.
  func send(
    _ method: String, _ path: String, query: [(name: String, value: String)] = [], body: [UInt8]? = nil,
    timeout: Duration = .seconds(30)
  ) async throws -> Answer {
    var request = HTTPClientRequest(url: baseURL + path + Self.encoded(query))
    request.method = .init(rawValue: method)
    if let token { request.headers.add(name: "authorization", value: "Bearer \(token)") }
    if let body {
      request.headers.add(name: "content-type", value: "application/json")
      request.body = .bytes(body)
    }
    do {
      let response = try await Self.http.execute(request, timeout: .milliseconds(timeout.milliseconds))
      let bytes = try await response.body.collect(upTo: Self.largestBody)
      return Answer(status: Int(response.status.code), body: Array(buffer: bytes))
    } catch let cancellation as CancellationError {
      throw cancellation
    } catch {
      if Task.isCancelled { throw CancellationError() }
      throw Failure("\(name) does not answer at \(baseURL) (\(Self.reason(error))); is `orderflow up` running?")
    }
  }

  /// - Throws: ``Failure`` unless the answer is a 2xx with a JSON object.
  func get(
    _ path: String, query: [(name: String, value: String)] = [], timeout: Duration = .seconds(30)
  ) async throws -> JSONObject {
    let answer = try await send("GET", path, query: query, timeout: timeout)
    guard answer.isSuccess else { throw Failure("\(name) answered GET \(path) with \(answer.problem)") }
    guard let object = (try? JSONValue(parsing: answer.body))?.object else {
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
    guard answer.isSuccess, let object = (try? JSONValue(parsing: answer.body))?.object else {
      throw Failure("\(name) answered GET \(path) with \(answer.problem)")
    }
    return object
  }

  // MARK: The client below

  private static let largestBody = 256 << 20

  /// Lives as long as the process. A refused connection is an answer here, not a reason to go on trying.
  private static let http: HTTPClient = {
    var configuration = HTTPClient.Configuration()
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.timeout.connect = .seconds(5)
    return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }()

  private static func encoded(_ query: [(name: String, value: String)]) -> String {
    guard !query.isEmpty else { return "" }
    var allowed = CharacterSet.alphanumerics
    allowed.insert(charactersIn: "-._~")
    let pairs = query.map { "\($0.name)=\($0.value.addingPercentEncoding(withAllowedCharacters: allowed) ?? "")" }
    return "?" + pairs.joined(separator: "&")
  }

  /// The error of a connection attempt (NIOPosix's) is a list of all addresses that were tried.
  private static func reason(_ text: String) -> String {
    text.localizedCaseInsensitiveContains("connection refused") ? "connection refused" : text.printable
  }

  private static func reason(_ error: any Error) -> String {
    switch error {
    case let error as HTTPClientError where error == .connectTimeout: "no connection in time"
    case let error as HTTPClientError where error == .deadlineExceeded || error == .readTimeout: "no answer in time"
    default: reason("\(error)")
    }
  }
}

import HTTPTypes
import Hummingbird
import NIOCore
import WireFormat

/// A field of a request that cannot be accepted, by its JSON pointer (RFC 6901).
public struct FieldError: Sendable, Hashable, JSONEncodable {
  /// `/items/0/quantity`; the empty text is the whole body. A query parameter is `/limit`.
  public var pointer: String
  public var detail: String

  public init(pointer: String, detail: String) {
    self.pointer = pointer
    self.detail = detail
  }

  public func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("pointer", pointer)
      json.member("detail", detail)
    }
  }
}

/// Why a request was refused or failed, as `application/problem+json` (RFC 9457). Throw it from a handler.
public struct Problem: Error, HTTPResponseError, Sendable {
  public var status: HTTPResponse.Status
  public var title: String
  public var detail: String
  public var errors: [FieldError]
  /// Seconds after which trying again can help; sent as `Retry-After`.
  public var retryAfter: Int?
  public var headers: HTTPFields
  /// More members for the body, each a JSON value.
  var extensions: [(name: String, json: [UInt8])] = []

  public init(
    _ status: HTTPResponse.Status, title: String? = nil, detail: String, errors: [FieldError] = [],
    retryAfter: Int? = nil, headers: HTTPFields = [:]
  ) {
    self.status = status
    self.title = title ?? status.reasonPhrase
    self.detail = detail
    self.errors = errors
    self.retryAfter = retryAfter
    self.headers = headers
  }

  static let contentType = "application/problem+json"

  /// The answer to the client.
  public var response: Response { Response(answer) }

  var answer: WholeAnswer {
    var headers = headers
    headers[.contentType] = Self.contentType
    if let retryAfter { headers[.retryAfter] = "\(retryAfter)" }
    return WholeAnswer(status: status, headers: headers, body: ByteBuffer(bytes: jsonBytes))
  }

  public func response(from request: Request, context: some RequestContext) -> Response { response }
}

extension Problem: JSONEncodable {
  public func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("type", "about:blank")
      json.member("title", title)
      json.member("status", status.code)
      json.member("detail", detail)
      if !errors.isEmpty { json.member("errors", errors) }
      for (name, value) in extensions { json.member(name: name, raw: value) }
    }
  }
}

// MARK: - The problems of the contract

extension Problem {
  /// 400: cannot be read at all.
  public static func badRequest(_ detail: String) -> Problem { Problem(.badRequest, detail: detail) }

  /// 404
  public static func notFound(_ detail: String) -> Problem { Problem(.notFound, detail: detail) }

  /// 405, with the methods that the path does have.
  public static func methodNotAllowed(allowed: [String]) -> Problem {
    let methods = allowed.joined(separator: ", ")
    return Problem(
      .methodNotAllowed, detail: "This path can do \(methods).", headers: [.allow: methods])
  }

  /// 409: refused because of the state that the resource is in.
  public static func conflict(_ detail: String) -> Problem { Problem(.conflict, detail: detail) }

  /// 413
  public static let tooLarge = Problem(
    .contentTooLarge, detail: "A body may have up to \(RequestLimits.body) bytes.")

  /// 414
  public static let pathTooLong = Problem(
    .uriTooLong, detail: "Path and query may have up to \(RequestLimits.path) bytes.")

  /// 415
  public static let unsupportedMediaType = Problem(
    .unsupportedMediaType, detail: "The body has to be application/json.")

  /// 415, with what would be taken (RFC 9110, section 15.5.16)
  public static let unsupportedContentEncoding = Problem(
    .unsupportedMediaType, detail: "A body is taken uncompressed only.", headers: [.acceptEncoding: "identity"])

  /// 422: readable, but fields are out of their bounds.
  public static func unprocessable(_ errors: [FieldError]) -> Problem {
    let first = errors.first.map { $0.pointer.isEmpty ? "The body \($0.detail)." : "\($0.pointer) \($0.detail)." }
    let more = errors.count > 1 ? " There are \(errors.count) errors in all." : ""
    return Problem(
      .unprocessableContent, detail: (first ?? "The request is out of bounds.") + more, errors: errors)
  }

  /// 422 for a single field.
  public static func unprocessable(pointer: String, _ detail: String) -> Problem {
    unprocessable([FieldError(pointer: pointer, detail: detail)])
  }

  /// 503: the same request may succeed after `retryAfter` seconds.
  public static func unavailable(_ detail: String, retryAfter: Int = 1) -> Problem {
    Problem(.serviceUnavailable, detail: detail, retryAfter: retryAfter)
  }

  /// 500, without a word about what went wrong inside: that is in the log.
  static let unexpected = Problem(
    .internalServerError, detail: "The service failed in a way that it did not foresee. Its log has the details.")
}

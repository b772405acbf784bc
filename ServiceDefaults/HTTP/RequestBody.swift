import HTTPTypes
import Hummingbird
import NIOCore
import WireFormat

extension Request {
  /// The body as a JSON object.
  ///
  /// A body that is refused has still been read to its end, up to 1 MiB (``RequestAssembler``), so that a client that
  /// writes before it reads gets its answer.
  ///
  /// - Parameter allowingEmpty: no body at all is an object without members.
  /// - Throws: ``Problem`` 415 where it is not `application/json`, or compressed, 413 over 64 KiB, 400 where it is not
  ///   JSON, 422 where it is not an object.
  public func jsonObject(allowingEmpty: Bool = false) async throws -> JSONElement.Object {
    let bytes = try await bodyBytes()
    if allowingEmpty, bytes.isEmpty { return JSONElement.Object() }
    return try JSONElement.Object(body: bytes, fields: headers)
  }

  private func bodyBytes() async throws -> [UInt8] {
    var bytes: [UInt8] = []
    var size = 0
    for try await part in body {
      size += part.readableBytes
      if size <= RequestLimits.body { bytes.append(contentsOf: part.readableBytesView) }
    }
    guard size <= RequestLimits.body else { throw Problem.tooLarge }
    return bytes
  }
}

extension JSONElement.Object {
  /// The object that a body is.
  ///
  /// - Parameter fields: the request's header fields, which say how to read it.
  /// - Throws: ``Problem`` 415 where it is not `application/json`, or compressed, 400 where it is not JSON, 422 where it is
  ///   not an object.
  public init(body bytes: [UInt8], fields: HTTPFields) throws {
    // Not `throws(Problem)`: inlined into asynchronous callers, that crashes the optimiser of Swift 6.3.
    guard fields[.contentEncoding].map({ $0.lowercased() == "identity" }) ?? true else {
      throw Problem.unsupportedContentEncoding
    }
    guard MediaType.isJSON(fields[.contentType]) else { throw Problem.unsupportedMediaType }
    guard !bytes.isEmpty else { throw Problem.badRequest("The body is empty, and should be a JSON object.") }
    let value: JSONElement
    do {
      value = try JSONElement(parsing: bytes)
    } catch {
      throw Problem.badRequest("The body is \(error).")
    }
    guard let object = value.object else { throw Problem.unprocessable(pointer: "", "has to be a JSON object") }
    self = object
  }
}

/// `application/json`, also with `charset=utf-8`, and types that are JSON underneath, such as `application/x+json`.
private enum MediaType {
  static func isJSON(_ header: String?) -> Bool {
    guard let header else { return false }
    if header == "application/json" { return true }
    let parts = header.lowercased().split(separator: ";", omittingEmptySubsequences: false).map { trimmed($0) }
    let type = parts[0]
    guard type == "application/json" || (type.hasPrefix("application/") && type.hasSuffix("+json")) else {
      return false
    }
    return parts.dropFirst().allSatisfy { parameter in
      guard parameter.hasPrefix("charset=") else { return true }
      return ["utf-8", "utf8", "\"utf-8\"", "us-ascii"].contains(String(parameter.dropFirst("charset=".count)))
    }
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var text = text.drop { $0 == " " || $0 == "\t" }
    while text.last == " " || text.last == "\t" { text.removeLast() }
    return text
  }
}

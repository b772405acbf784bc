import HTTPTypes
import Hummingbird
import WireFormat

extension TraceContext {
  /// The trace that a request belongs to; nil where it says none, or more than one, or nothing valid.
  public init?(_ request: Request) { self.init(fields: request.headers) }

  /// The same by the request's header fields.
  public init?(fields: HTTPFields) {
    guard let text = fields[.traceparent] else { return nil }
    self.init(traceparent: text)
  }
}

extension HTTPField.Name {
  static let traceparent = HTTPField.Name(TraceContext.headerName)!
}

import HTTPTypes
import Hummingbird
import WireFormat

extension TraceContext {
  /// The trace that a request belongs to; nil where it says none, or more than one, or nothing valid.
  public init?(_ request: Request) {
    guard let text = request.headers[.traceparent] else { return nil }
    self.init(traceparent: text)
  }
}

extension HTTPField.Name {
  static let traceparent = HTTPField.Name(TraceContext.headerName)!
}

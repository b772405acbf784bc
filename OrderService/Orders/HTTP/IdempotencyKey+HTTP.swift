import HTTPTypes
import Hummingbird
import ServiceDefaults

extension IdempotencyKey {
  /// Where a problem's errors point.
  static let pointer = "/Idempotency-Key"

  /// The key of a request; nil where it has none.
  ///
  /// - Throws: `Problem` 422 where it has one out of bounds, or more than one.
  init?(_ request: Request, of requester: String) throws(Problem) {
    let values = request.headers[values: .idempotencyKey]
    guard let text = values.first else { return nil }
    guard values.count == 1, let key = IdempotencyKey(text, of: requester) else {
      throw Problem.unprocessable(
        pointer: Self.pointer,
        "has to be one header field of \(Self.lengthRange.lowerBound) to \(Self.lengthRange.upperBound) visible characters"
      )
    }
    self = key
  }
}

extension HTTPField.Name {
  static let idempotencyKey = HTTPField.Name("Idempotency-Key")!
  static let idempotencyReplayed = HTTPField.Name("Idempotency-Replayed")!
}

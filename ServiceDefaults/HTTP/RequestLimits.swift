/// What a request may be.
enum RequestLimits {
  /// Bytes of a body that is read.
  static let body = 64 << 10
  /// Bytes of a refused body that are read, and dropped, before the answer.
  static let refusedBody = 1 << 20
  /// Bytes of path and query.
  static let path = 8 << 10
  /// Bytes of a header field, and of all of them.
  static let headerField = 16 << 10
  static let headers = 64 << 10
  static let headerCount = 100
}

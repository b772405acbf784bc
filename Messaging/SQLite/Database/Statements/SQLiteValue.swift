import GRDBSQLite

/// What a `?` of a ``PreparedSQL`` can stand for: integers, text, bytes, and NULL for nil.
///
/// A type of yours binds what it is kept as: `func bind(to parameters: inout SQLiteParameters) { text.bind(to: &parameters) }`.
public protocol SQLiteValue {
  /// Puts exactly one value into `parameters`.
  func bind(to parameters: inout SQLiteParameters)
}

extension Int64: SQLiteValue {
  public func bind(to parameters: inout SQLiteParameters) { parameters.add(self) }
}

extension Int: SQLiteValue {
  public func bind(to parameters: inout SQLiteParameters) { parameters.add(Int64(self)) }
}

extension Int32: SQLiteValue {
  public func bind(to parameters: inout SQLiteParameters) { parameters.add(Int64(self)) }
}

/// 0 and 1.
extension Bool: SQLiteValue {
  public func bind(to parameters: inout SQLiteParameters) { parameters.add(self ? 1 : 0) }
}

extension String: SQLiteValue {
  public func bind(to parameters: inout SQLiteParameters) {
    var text = self
    text.withUTF8 { parameters.add(text: $0) }
  }
}

/// Bytes, also none of them: an empty blob, which is not NULL.
extension [UInt8]: SQLiteValue {
  public func bind(to parameters: inout SQLiteParameters) {
    withUnsafeBytes { parameters.add(bytes: $0) }
  }
}

extension Optional: SQLiteValue where Wrapped: SQLiteValue {
  @inlinable
  public func bind(to parameters: inout SQLiteParameters) {
    if let self { self.bind(to: &parameters) } else { parameters.addNull() }
  }
}

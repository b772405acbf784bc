/// A value that writes itself as JSON.
public protocol JSONEncodable {
  /// Writes exactly one JSON value.
  func write(to json: inout JSONWriter)
}

extension JSONEncodable {
  /// The value as a JSON text of its own, compact, in UTF-8.
  public var jsonBytes: [UInt8] {
    var json = JSONWriter()
    write(to: &json)
    return json.bytes
  }
}

extension String: JSONEncodable {
  /// A string, escaped as needed.
  public func write(to json: inout JSONWriter) { json.string(self) }
}

extension Int: JSONEncodable {
  /// A whole number.
  public func write(to json: inout JSONWriter) { json.integer(Int64(self)) }
}

extension Int32: JSONEncodable {
  /// A whole number.
  public func write(to json: inout JSONWriter) { json.integer(Int64(self)) }
}

extension Int64: JSONEncodable {
  /// A whole number.
  public func write(to json: inout JSONWriter) { json.integer(self) }
}

extension Bool: JSONEncodable {
  /// `true` or `false`.
  public func write(to json: inout JSONWriter) { json.raw(self ? "true".utf8 : "false".utf8) }
}

extension Optional: JSONEncodable where Wrapped: JSONEncodable {
  /// The value, or `null`.
  @inlinable
  public func write(to json: inout JSONWriter) {
    if let self { self.write(to: &json) } else { json.null() }
  }
}

extension Array: JSONEncodable where Element: JSONEncodable {
  /// An array of the elements in their order.
  @inlinable
  public func write(to json: inout JSONWriter) {
    json.array { json in
      for element in self { json.value(element) }
    }
  }
}

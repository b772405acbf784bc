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
  public func write(to json: inout JSONWriter) { json.string(self) }
}

extension Int: JSONEncodable {
  public func write(to json: inout JSONWriter) { json.integer(Int64(self)) }
}

extension Int32: JSONEncodable {
  public func write(to json: inout JSONWriter) { json.integer(Int64(self)) }
}

extension Int64: JSONEncodable {
  public func write(to json: inout JSONWriter) { json.integer(self) }
}

extension Bool: JSONEncodable {
  public func write(to json: inout JSONWriter) { json.raw(self ? "true".utf8 : "false".utf8) }
}

/// Nil is written as `null`.
extension Optional: JSONEncodable where Wrapped: JSONEncodable {
  public func write(to json: inout JSONWriter) {
    if let self { self.write(to: &json) } else { json.null() }
  }
}

extension Array: JSONEncodable where Element: JSONEncodable {
  public func write(to json: inout JSONWriter) {
    json.array { json in
      for element in self { json.value(element) }
    }
  }
}

/// A JSON value that has been read, with numbers as they were sent.
public enum JSONValue: Sendable, Hashable {
  case null
  case bool(Bool)
  case number(JSONNumber)
  case string(String)
  case array([JSONValue])
  case object(JSONObject)

  /// Reads one JSON text as ``JSONElement/init(parsing:maximumDepth:)`` does.
  ///
  /// - Parameter maximumDepth: How many arrays and objects may be open at once; what is above
  ///   ``deepestNesting`` counts as that, so that no input can exhaust the stack.
  /// - Throws: ``JSONParseError``, which says what is wrong and where.
  public init(parsing bytes: [UInt8], maximumDepth: Int = 64) throws(JSONParseError) {
    self.init(try JSONElement(parsing: bytes, maximumDepth: maximumDepth))
  }

  /// The deepest nesting that any reader accepts.
  public static let deepestNesting = 128

  /// The text, if this is a string.
  public var string: String? { if case .string(let value) = self { value } else { nil } }
  /// The number, if this is one.
  public var number: JSONNumber? { if case .number(let value) = self { value } else { nil } }
  /// The truth value, if this is `true` or `false`.
  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  /// The elements, if this is an array.
  public var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
  /// The object, if this is one.
  public var object: JSONObject? { if case .object(let value) = self { value } else { nil } }
  /// Whether this is `null`.
  public var isNull: Bool { self == .null }
}

extension JSONValue {
  /// A value of its own, with all that is in it. Recursion goes as deep as the nesting, which is bounded where a text is
  /// read.
  public init(_ element: JSONElement) {
    switch element.tape.entries[element.index] {
    case .bool(let value): self = .bool(value)
    case .number(let literal): self = .number(JSONNumber(checked: element.tape.text(literal)))
    case .text, .textWithEscapes: self = .string(element.string ?? "")
    case .array: self = .array(element.array?.map(JSONValue.init) ?? [])
    case .object: self = .object(element.object.map(JSONObject.init) ?? JSONObject())
    // No element stands for the end of another.
    case .null, .close: self = .null
    }
  }
}

extension JSONValue: JSONEncodable {
  /// Writes the value compactly; numbers come out as they came in.
  public func write(to json: inout JSONWriter) {
    switch self {
    case .null: json.null()
    case .bool(let value): value.write(to: &json)
    case .number(let value): value.write(to: &json)
    case .string(let value): value.write(to: &json)
    case .array(let values): values.write(to: &json)
    case .object(let value): value.write(to: &json)
    }
  }
}

/// A value of a JSON text that has been read, and left where it stands: a text or a number is made of it only when it is
/// asked for. Reads records and requests, of which most bytes are only looked at; ``JSONValue`` is for what is kept or
/// changed.
public struct JSONElement: Sendable {
  private let tape: JSONTape
  private let index: Int

  private init(tape: JSONTape, index: Int) {
    self.tape = tape
    self.index = index
  }

  /// Reads one JSON text (RFC 8259), strictly: valid UTF-8 without a byte order mark, nothing behind the value,
  /// no lone surrogates, no raw control characters in strings. Any bytes are safe to pass in; the time taken is
  /// linear in their number.
  ///
  /// - Parameter maximumDepth: How many arrays and objects may be open at once; what is above
  ///   ``JSONValue/deepestNesting`` counts as that, so that no input can exhaust the stack.
  /// - Throws: ``JSONParseError``, which says what is wrong and where.
  public init(parsing bytes: [UInt8], maximumDepth: Int = 64) throws(JSONParseError) {
    let depth = min(maximumDepth, JSONValue.deepestNesting)
    let (entries, unescaped) = try bytes.withUnsafeBufferPointer {
      (buffer) throws(JSONParseError) -> ([JSONTapeEntry], [String]) in
      var parser = JSONParser(bytes: buffer, maximumDepth: depth)
      try parser.parse()
      return (parser.entries, parser.unescaped)
    }
    self.init(tape: JSONTape(bytes: bytes, entries: entries, unescaped: unescaped), index: 0)
  }

  /// An object without members.
  public static let emptyObject = JSONElement(
    tape: JSONTape(bytes: [], entries: [.object(count: 0, end: 2), .close(0)], unescaped: []), index: 0)

  /// Whether this is an object.
  public var isObject: Bool { if case .object = tape.entries[index] { true } else { false } }
  /// Whether this is a string.
  public var isString: Bool {
    switch tape.entries[index] {
    case .text, .unescapedText: true
    case .null, .bool, .number, .array, .object, .close: false
    }
  }
  /// Whether this is `null`.
  public var isNull: Bool { if case .null = tape.entries[index] { true } else { false } }
  /// The truth value, if this is `true` or `false`.
  public var bool: Bool? { if case .bool(let value) = tape.entries[index] { value } else { nil } }
  /// The text, if this is a string, with its escapes resolved.
  public var string: String? { tape.string(at: index) }

  /// The value, if this is a whole number (`2`, `2.0` and `1e2` are) between `Int64.min` and `Int64.max`.
  public var int64: Int64? { scaled(decimals: 0) }

  /// The value times 10^`decimals`, if this is a number and that is a whole one within `Int64`, exactly as
  /// ``JSONNumber/scaled(decimals:)`` has it.
  public func scaled(decimals: Int) -> Int64? {
    guard case .number(let literal) = tape.entries[index] else { return nil }
    return tape.withBytes(literal) { DecimalLiteral($0).scaled(decimals: decimals) }
  }

  /// The moment, if this is a string that is one, exactly as ``Timestamp/init(rfc3339:)`` has it.
  public var timestamp: Timestamp? {
    guard case .text(let range) = tape.entries[index] else { return string.flatMap { Timestamp(rfc3339: $0) } }
    return tape.withBytes(range) { RFC3339Scanner.milliseconds($0) }.map(Timestamp.init(millisecondsSinceEpoch:))
  }

  /// The elements, if this is an array.
  public var array: Elements? {
    guard case .array(let count, _) = tape.entries[index] else { return nil }
    return Elements(tape: tape, first: index + 1, count: count)
  }

  /// The value of the member `name`, if this is an object that has one; of a repeated name the last one. Takes time
  /// linear in the number of members.
  public subscript(_ name: StaticString) -> JSONElement? {
    name.withUTF8Buffer { tape.member($0, of: index) }.map { JSONElement(tape: tape, index: $0) }
  }

  /// The elements of an array, in their order.
  public struct Elements: Sequence, IteratorProtocol, Sendable {
    private let tape: JSONTape
    private var index: Int
    /// How many are still to come.
    public private(set) var count: Int

    fileprivate init(tape: JSONTape, first: Int, count: Int) {
      self.tape = tape
      index = first
      self.count = count
    }

    /// The next element; nil behind the last.
    public mutating func next() -> JSONElement? {
      guard count > 0 else { return nil }
      defer {
        index = tape.next(after: index)
        count -= 1
      }
      return JSONElement(tape: tape, index: index)
    }
  }
}

extension JSONValue {
  /// A value of its own, with all that is in it.
  public init(_ element: JSONElement) {
    self = element.value
  }
}

extension JSONElement {
  /// Recursion goes as deep as the text's nesting, which is bounded where it is read.
  fileprivate var value: JSONValue {
    switch tape.entries[index] {
    case .null, .close: return .null
    case .bool(let value): return .bool(value)
    case .number(let literal):
      return .number(JSONNumber(checked: tape.withBytes(literal) { String(decoding: $0, as: UTF8.self) }))
    case .text, .unescapedText: return .string(tape.string(at: index) ?? "")
    case .array(let count, _):
      return .array(Elements(tape: tape, first: index + 1, count: count).map(\.value))
    case .object(let count, _):
      var members: [JSONObject.Member] = []
      members.reserveCapacity(count)
      var member = index + 1
      for _ in 0..<count {
        let value = JSONElement(tape: tape, index: member + 1).value
        members.append(JSONObject.Member(name: tape.string(at: member) ?? "", value: value))
        member = tape.next(after: member + 1)
      }
      return .object(JSONObject(members: members))
    }
  }
}

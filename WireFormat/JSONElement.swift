/// A value of a JSON text that has been read, and left where it stands: a text or a number is made of it only when it is
/// asked for. Reads records and requests, of which most bytes are only looked at; ``JSONValue`` is for what is kept or
/// changed, since an element keeps the whole text it stands in.
public struct JSONElement: Sendable {
  let tape: JSONTape
  let index: Int

  /// Reads one JSON text (RFC 8259), strictly: valid UTF-8 without a byte order mark, nothing behind the value,
  /// no lone surrogates, no raw control characters in strings. Any bytes are safe to pass in; time and memory taken
  /// are linear in their number, up to a few dozen bytes for each that is a value of its own.
  ///
  /// - Parameter maximumDepth: How many arrays and objects may be open at once; what is above
  ///   ``JSONValue/deepestNesting`` counts as that, so that no input can exhaust the stack.
  /// - Throws: ``JSONParseError``, which says what is wrong and where.
  public init(parsing bytes: [UInt8], maximumDepth: Int = 64) throws(JSONParseError) {
    let depth = min(maximumDepth, JSONValue.deepestNesting)
    let (entries, textsWithEscapes) = try bytes.withUnsafeBufferPointer {
      (buffer) throws(JSONParseError) -> ([JSONTapeEntry], [String]) in
      var parser = JSONParser(bytes: buffer, maximumDepth: depth)
      try parser.parse()
      return (parser.entries, parser.textsWithEscapes)
    }
    self.init(tape: JSONTape(bytes: bytes, entries: entries, textsWithEscapes: textsWithEscapes), index: 0)
  }

  init(tape: JSONTape, index: Int) {
    self.tape = tape
    self.index = index
  }

  /// Whether this is `null`.
  public var isNull: Bool { if case .null = tape.entries[index] { true } else { false } }
  /// The truth value, if this is `true` or `false`.
  public var bool: Bool? { if case .bool(let value) = tape.entries[index] { value } else { nil } }

  /// Whether this is a string.
  public var isString: Bool {
    switch tape.entries[index] {
    case .text, .textWithEscapes: true
    case .null, .bool, .number, .array, .object, .close: false
    }
  }

  /// The text, if this is a string, with its escapes resolved.
  public var string: String? { tape.string(at: index) }

  /// The moment, if this is a string that is one, exactly as ``Timestamp/init(rfc3339:)`` has it.
  public var timestamp: Timestamp? {
    guard case .text(let range) = tape.entries[index] else { return string.flatMap { Timestamp(rfc3339: $0) } }
    return tape.withBytes(range) { RFC3339Scanner.milliseconds($0) }.map(Timestamp.init(millisecondsSinceEpoch:))
  }

  /// The value, if this is a whole number (`2`, `2.0` and `1e2` are) between `Int64.min` and `Int64.max`.
  public var int64: Int64? { scaled(decimals: 0) }

  /// The value times 10^`decimals`, if this is a number and that is a whole one within `Int64`, exactly as
  /// ``JSONNumber/scaled(decimals:)`` has it.
  public func scaled(decimals: Int) -> Int64? {
    guard case .number(let literal) = tape.entries[index] else { return nil }
    return tape.withBytes(literal) { DecimalLiteral($0).scaled(decimals: decimals) }
  }

  /// The elements, if this is an array.
  public var array: Elements? {
    guard case .array(let count, _) = tape.entries[index] else { return nil }
    return Elements(tape: tape, first: index + 1, count: count)
  }

  /// The object, if this is one.
  public var object: Object? {
    guard case .object = tape.entries[index] else { return nil }
    return Object(tape: tape, index: index)
  }
}

extension JSONElement {
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

    /// The same as ``count``.
    public var underestimatedCount: Int { count }
  }

  /// The members of an object. As a sequence all of them in their order, repeated names included.
  public struct Object: Sequence, Sendable {
    private let tape: JSONTape
    private let index: Int

    fileprivate init(tape: JSONTape, index: Int) {
      self.tape = tape
      self.index = index
    }

    /// An object without members.
    public init() {
      self.init(tape: .emptyObject, index: 0)
    }

    /// The value of the member `name`; of a repeated name the last one. Names are compared byte for byte, their escapes
    /// resolved. Takes time linear in the number of members.
    public subscript(_ name: StaticString) -> JSONElement? {
      name.withUTF8Buffer { tape.member($0, of: index) }.map { JSONElement(tape: tape, index: $0) }
    }

    /// Goes through the members, their names with their escapes resolved.
    public func makeIterator() -> some IteratorProtocol<(name: String, value: JSONElement)> {
      var name = index + 1
      return AnyIterator {
        guard let text = tape.string(at: name) else { return nil }
        let value = JSONElement(tape: tape, index: name + 1)
        name = tape.next(after: value.index)
        return (text, value)
      }
    }
  }
}

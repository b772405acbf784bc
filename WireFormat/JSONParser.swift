/// Reads one JSON text onto a tape. Recursion goes `maximumDepth` deep and no deeper.
///
/// Every access is behind a comparison with `bytes.count`: an unsafe buffer checks nothing in a release build.
struct JSONParser {
  private let bytes: UnsafeBufferPointer<UInt8>
  private let maximumDepth: Int
  private var position = 0
  private var depth = 0
  /// What has been read: a ``JSONTape``'s.
  private(set) var entries: [JSONTapeEntry] = []
  private(set) var textsWithEscapes: [String] = []

  init(bytes: UnsafeBufferPointer<UInt8>, maximumDepth: Int) {
    self.bytes = bytes
    self.maximumDepth = maximumDepth
  }

  mutating func parse() throws(JSONParseError) {
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { throw failure("a byte order mark") }
    // An event has an entry, which is 24 bytes, for about nine of its own.
    entries.reserveCapacity(1 + bytes.count / 8)
    skipWhitespace()
    try parseValue()
    skipWhitespace()
    if position < bytes.count { throw failure("something behind the value") }
  }

  private mutating func parseValue() throws(JSONParseError) {
    switch peek() {
    case UInt8(ascii: "\""): try parseString()
    case UInt8(ascii: "{"): try parseObject()
    case UInt8(ascii: "["): try parseArray()
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try parseNumber()
    case UInt8(ascii: "t"): try parseWord("true", .bool(true))
    case UInt8(ascii: "f"): try parseWord("false", .bool(false))
    case UInt8(ascii: "n"): try parseWord("null", .null)
    default: throw unexpected()
    }
  }

  private mutating func parseObject() throws(JSONParseError) {
    let object = entries.count
    entries.append(.object(count: 0, end: 0))
    var count = 0
    try open()
    if !close(with: UInt8(ascii: "}")) {
      repeat {
        skipWhitespace()
        guard peek() == UInt8(ascii: "\"") else { throw unexpected() }
        try parseString()
        skipWhitespace()
        guard take(UInt8(ascii: ":")) else { throw unexpected() }
        skipWhitespace()
        try parseValue()
        count += 1
        skipWhitespace()
      } while take(UInt8(ascii: ","))
      guard close(with: UInt8(ascii: "}")) else { throw unexpected() }
    }
    entries.append(.close(opening: object))
    entries[object] = .object(count: count, end: entries.count)
  }

  private mutating func parseArray() throws(JSONParseError) {
    let array = entries.count
    entries.append(.array(count: 0, end: 0))
    var count = 0
    try open()
    if !close(with: UInt8(ascii: "]")) {
      repeat {
        skipWhitespace()
        try parseValue()
        count += 1
        skipWhitespace()
      } while take(UInt8(ascii: ","))
      guard close(with: UInt8(ascii: "]")) else { throw unexpected() }
    }
    entries.append(.close(opening: array))
    entries[array] = .array(count: count, end: entries.count)
  }

  private mutating func open() throws(JSONParseError) {
    guard depth < maximumDepth else { throw failure("nested deeper than \(maximumDepth)") }
    depth += 1
    position += 1
    skipWhitespace()
  }

  private mutating func close(with byte: UInt8) -> Bool {
    guard take(byte) else { return false }
    depth -= 1
    return true
  }

  private mutating func parseWord(_ word: StaticString, _ entry: JSONTapeEntry) throws(JSONParseError) {
    for index in 0..<word.utf8CodeUnitCount where !take(word.utf8Start[index]) { throw unexpected() }
    entries.append(entry)
  }

  private mutating func parseNumber() throws(JSONParseError) {
    guard let end = JSONNumber.endOfLiteral(in: bytes, from: position) else {
      throw failure("a malformed number")
    }
    entries.append(.number(position..<end))
    position = end
  }

  private mutating func parseString() throws(JSONParseError) {
    var scanner = JSONStringScanner(bytes: bytes, position: position + 1)
    defer { position = scanner.position }
    switch try scanner.scan() {
    case .plain(let range): entries.append(.text(range))
    case .unescaped(let text):
      entries.append(.textWithEscapes(textsWithEscapes.count))
      textsWithEscapes.append(text)
    }
  }

  private mutating func skipWhitespace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x0A, 0x0D, 0x09: position += 1
      default: return
      }
    }
  }

  /// The byte at hand; 0, which is legal nowhere outside a string, at the end.
  private func peek() -> UInt8 { position < bytes.count ? bytes[position] : 0 }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard position < bytes.count, bytes[position] == byte else { return false }
    position += 1
    return true
  }

  private func unexpected() -> JSONParseError {
    guard position < bytes.count else { return failure("unexpected end") }
    let byte = bytes[position]
    let isPrintable = (0x21...0x7E).contains(byte)
    return failure(isPrintable ? "unexpected \(Character(UnicodeScalar(byte)))" : "unexpected byte \(byte)")
  }

  private func failure(_ reason: String) -> JSONParseError { JSONParseError(reason: reason, offset: position) }
}

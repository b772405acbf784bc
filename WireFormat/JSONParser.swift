/// Reads one JSON text. Recursion goes `maximumDepth` deep and no deeper.
///
/// Every access is behind a comparison with `bytes.count`: an unsafe buffer checks nothing in a release build.
struct JSONParser {
  private let bytes: UnsafeBufferPointer<UInt8>
  private let maximumDepth: Int
  private var position = 0
  private var depth = 0

  init(bytes: UnsafeBufferPointer<UInt8>, maximumDepth: Int) {
    self.bytes = bytes
    self.maximumDepth = maximumDepth
  }

  mutating func parse() throws(JSONParseError) -> JSONValue {
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { throw failure("a byte order mark") }
    skipWhitespace()
    let value = try parseValue()
    skipWhitespace()
    if position < bytes.count { throw failure("something behind the value") }
    return value
  }

  private mutating func parseValue() throws(JSONParseError) -> JSONValue {
    switch peek() {
    case UInt8(ascii: "\""): .string(try parseString())
    case UInt8(ascii: "{"): .object(try parseObject())
    case UInt8(ascii: "["): .array(try parseArray())
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): .number(try parseNumber())
    case UInt8(ascii: "t"): try parseWord("true", .bool(true))
    case UInt8(ascii: "f"): try parseWord("false", .bool(false))
    case UInt8(ascii: "n"): try parseWord("null", .null)
    default: throw unexpected()
    }
  }

  private mutating func parseObject() throws(JSONParseError) -> JSONObject {
    try open()
    var members: [JSONObject.Member] = []
    if !close(with: UInt8(ascii: "}")) {
      // An event has up to ten members, an item of it three.
      members.reserveCapacity(depth == 1 ? 10 : 4)
      repeat {
        skipWhitespace()
        guard peek() == UInt8(ascii: "\"") else { throw unexpected() }
        let name = try parseString()
        skipWhitespace()
        guard take(UInt8(ascii: ":")) else { throw unexpected() }
        skipWhitespace()
        members.append(JSONObject.Member(name: name, value: try parseValue()))
        skipWhitespace()
      } while take(UInt8(ascii: ","))
      guard close(with: UInt8(ascii: "}")) else { throw unexpected() }
    }
    return JSONObject(members: members)
  }

  private mutating func parseArray() throws(JSONParseError) -> [JSONValue] {
    try open()
    var values: [JSONValue] = []
    if !close(with: UInt8(ascii: "]")) {
      values.reserveCapacity(4)
      repeat {
        skipWhitespace()
        values.append(try parseValue())
        skipWhitespace()
      } while take(UInt8(ascii: ","))
      guard close(with: UInt8(ascii: "]")) else { throw unexpected() }
    }
    return values
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

  private mutating func parseWord(_ word: StaticString, _ value: JSONValue) throws(JSONParseError) -> JSONValue {
    for index in 0..<word.utf8CodeUnitCount where !take(word.utf8Start[index]) { throw unexpected() }
    return value
  }

  private mutating func parseNumber() throws(JSONParseError) -> JSONNumber {
    guard let end = JSONNumber.endOfLiteral(in: bytes, from: position) else {
      throw failure("a malformed number")
    }
    defer { position = end }
    return JSONNumber(checked: String(decoding: bytes[position..<end], as: UTF8.self))
  }

  private mutating func parseString() throws(JSONParseError) -> String {
    var scanner = JSONStringScanner(bytes: bytes, position: position + 1)
    defer { position = scanner.position }
    return try scanner.scan()
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

/// Reads the rest of a JSON string whose opening quote has been read.
struct JSONStringScanner {
  enum Scanned {
    /// What stands between the quotes is the text.
    case plain(Range<Int>)
    /// The text, its escapes resolved.
    case unescaped(String)
  }

  private let bytes: UnsafeBufferPointer<UInt8>
  /// Where the scanner is; after ``scan()`` behind the closing quote, or at what is wrong.
  private(set) var position: Int

  init(bytes: UnsafeBufferPointer<UInt8>, position: Int) {
    self.bytes = bytes
    self.position = position
  }

  /// Most strings have no escape and stay where they are; pure ASCII is not validated again.
  mutating func scan() throws(JSONParseError) -> Scanned {
    let start = position
    let (end, isASCII) = bytes.endOfPlainJSONText(from: start)
    position = end
    guard end < bytes.count else { throw failure("a string without its end") }
    switch bytes[end] {
    case UInt8(ascii: "\""):
      position += 1
      guard isASCII || String(validating: bytes[start..<end], as: UTF8.self) != nil else {
        throw invalidUTF8(from: start)
      }
      return .plain(start..<end)
    case UInt8(ascii: "\\"):
      return .unescaped(try scanWithEscapes(from: start))
    default:
      throw failure("a control character in a string")
    }
  }

  private mutating func scanWithEscapes(from start: Int) throws(JSONParseError) -> String {
    var text = Array(bytes[start..<position])
    while position < bytes.count {
      let byte = bytes[position]
      switch byte {
      case UInt8(ascii: "\""):
        position += 1
        guard let string = String(validating: text, as: UTF8.self) else { throw invalidUTF8(from: start) }
        return string
      case UInt8(ascii: "\\"):
        position += 1
        try scanEscape(into: &text)
      case 0..<0x20:
        throw failure("a control character in a string")
      default:
        text.append(byte)
        position += 1
      }
    }
    throw failure("a string without its end")
  }

  private mutating func scanEscape(into text: inout [UInt8]) throws(JSONParseError) {
    guard position < bytes.count else { throw failure("a string without its end") }
    let byte = bytes[position]
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"): text.append(contentsOf: String(Character(try scanScalar())).utf8)
    default:
      position -= 1
      throw failure("an unknown escape")
    }
  }

  /// Reads what follows `\u`: four hexadecimal digits, or a pair of surrogates.
  private mutating func scanScalar() throws(JSONParseError) -> Unicode.Scalar {
    let first = try scanHexadecimal()
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard (0xD800...0xDBFF).contains(first), next(is: "\\"), next(is: "u") else { throw failure("a lone surrogate") }
    let second = try scanHexadecimal()
    guard (0xDC00...0xDFFF).contains(second),
      let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    else { throw failure("a lone surrogate") }
    return scalar
  }

  private mutating func scanHexadecimal() throws(JSONParseError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard position < bytes.count, let digit = Self.hexadecimalValue(of: bytes[position]) else {
        throw failure("an escape without four hexadecimal digits")
      }
      value = value << 4 | digit
      position += 1
    }
    return value
  }

  private static func hexadecimalValue(of byte: UInt8) -> UInt32? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A") + 10)
    default: nil
    }
  }

  private mutating func next(is character: Unicode.Scalar) -> Bool {
    guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private func invalidUTF8(from start: Int) -> JSONParseError {
    JSONParseError(reason: "a string that is not UTF-8", offset: start)
  }

  private func failure(_ reason: String) -> JSONParseError { JSONParseError(reason: reason, offset: position) }
}

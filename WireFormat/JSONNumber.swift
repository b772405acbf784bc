/// A JSON number as it was sent, with its exact value: nothing is ever rounded or made binary.
///
/// Equality is that of the literals: `1.0` and `1` are different numbers here.
public struct JSONNumber: Sendable, Hashable {
  /// The literal: `49.90`, `-1e3`.
  public let text: String

  /// Nil when `text` is not a JSON number.
  public init?(_ text: String) {
    var copy = text
    let isNumber = copy.withUTF8 { Self.endOfLiteral(in: $0, from: 0) == $0.count }
    guard isNumber else { return nil }
    self.text = text
  }

  /// A whole number of any size.
  public init(_ value: some BinaryInteger) {
    text = String(value)
  }

  init(checked text: String) {
    self.text = text
  }

  /// The value, if it is a whole number (`2`, `2.0` and `1e2` are) between `Int64.min` and `Int64.max`.
  public var int64: Int64? { scaled(decimals: 0) }

  /// The value times 10^`decimals`, if that is a whole number within `Int64`: `49.9` and `49.900` with two decimals
  /// are 4990, `49.901` is nil. Takes time linear in the literal's length, whatever its exponent.
  public func scaled(decimals: Int) -> Int64? {
    var copy = text
    return copy.withUTF8 { DecimalLiteral($0).scaled(decimals: decimals) }
  }

  /// The index behind the number literal that begins at `start`; nil when none begins there.
  static func endOfLiteral(in bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
    var position = start

    func peek() -> UInt8 { position < bytes.count ? bytes[position] : 0 }
    func skipDigits() -> Bool {
      let first = position
      while isDigit(peek()) { position += 1 }
      return position > first
    }

    if peek() == UInt8(ascii: "-") { position += 1 }
    if peek() == UInt8(ascii: "0") {
      position += 1
      if isDigit(peek()) { return nil }
    } else if !skipDigits() {
      return nil
    }
    if peek() == UInt8(ascii: ".") {
      position += 1
      guard skipDigits() else { return nil }
    }
    if peek() | 0x20 == UInt8(ascii: "e") {
      position += 1
      if peek() == UInt8(ascii: "+") || peek() == UInt8(ascii: "-") { position += 1 }
      guard skipDigits() else { return nil }
    }
    return position
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }
}

extension JSONNumber: JSONEncodable {
  /// Writes the literal as it was sent.
  public func write(to json: inout JSONWriter) { json.raw(text.utf8) }
}

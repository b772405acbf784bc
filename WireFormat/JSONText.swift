extension [UInt8] {
  /// Appends `text` as a JSON string. What needs no escape, nearly everything, is copied in one piece.
  mutating func appendJSONString(_ text: String) {
    append(UInt8(ascii: "\""))
    var copy = text
    copy.withUTF8 { characters in
      if characters.endOfPlainJSONText(from: 0).end == characters.count {
        append(contentsOf: characters)
      } else {
        for character in characters { appendEscaped(character) }
      }
    }
    append(UInt8(ascii: "\""))
  }

  private mutating func appendEscaped(_ character: UInt8) {
    guard character.needsEscapeInJSON else { return append(character) }
    switch character {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): append(contentsOf: [UInt8(ascii: "\\"), character])
    case 0x08: append(contentsOf: "\\b".utf8)
    case 0x09: append(contentsOf: "\\t".utf8)
    case 0x0A: append(contentsOf: "\\n".utf8)
    case 0x0C: append(contentsOf: "\\f".utf8)
    case 0x0D: append(contentsOf: "\\r".utf8)
    default:
      append(contentsOf: "\\u00".utf8)
      append(hexadecimalDigit(character >> 4))
      append(hexadecimalDigit(character & 0x0F))
    }
  }

  /// Appends `value` × 10^-`decimals`, with exactly that many decimals.
  mutating func appendDecimal(_ value: Int64, decimals: Int = 0) {
    if value < 0 { append(UInt8(ascii: "-")) }
    let start = count
    let shortest = decimals > 0 ? decimals + 2 : 1
    var rest = value.magnitude
    repeat {
      append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
      if count - start == decimals { append(UInt8(ascii: ".")) }
      rest /= 10
    } while rest > 0 || count - start < shortest
    reverse(from: start)
  }

  /// In place; a mutated slice would be copied first.
  private mutating func reverse(from start: Int) {
    var (low, high) = (start, count - 1)
    while low < high {
      swapAt(low, high)
      low += 1
      high -= 1
    }
  }
}

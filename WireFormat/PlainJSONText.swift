extension UnsafeBufferPointer<UInt8> {
  /// How far the text from `start` on stands in a JSON string as it is: up to the first quote, backslash or control
  /// character, or the end of the bytes. And whether all of that is ASCII.
  ///
  /// Eight bytes at a time, since this is most of what is ever read or written. A byte is found by the highest bit of its
  /// place: `word - n` sets it where the byte was below `n`. What that borrows reaches only higher bytes, which stand
  /// behind the first one found.
  func endOfPlainJSONText(from start: Int) -> (end: Int, isASCII: Bool) {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let highest = ones << 7
    var end = start
    var seen: UInt64 = 0
    while count - end >= 8 {
      let bytes = UnsafeRawBufferPointer(self).loadUnaligned(fromByteOffset: end, as: UInt64.self)
      let word = UInt64(littleEndian: bytes)
      let quotes = (word ^ ones &* UInt64(UInt8(ascii: "\""))) &- ones
      let backslashes = (word ^ ones &* UInt64(UInt8(ascii: "\\"))) &- ones
      let controls = word &- ones &* 0x20
      let found = (quotes | backslashes | controls) & ~word & highest
      guard found == 0 else {
        let plain = found.trailingZeroBitCount / 8
        return (end + plain, (seen | word & (1 << (plain * 8) - 1)) & highest == 0)
      }
      seen |= word
      end += 8
    }
    while end < count, !self[end].needsEscapeInJSON {
      seen |= UInt64(self[end])
      end += 1
    }
    return (end, seen & highest == 0)
  }
}

extension UInt8 {
  var needsEscapeInJSON: Bool { self < 0x20 || self == UInt8(ascii: "\"") || self == UInt8(ascii: "\\") }
}

/// Identifiers of RFC 9562, version 7: they begin with the time, so that they sort by it.
public enum UUIDv7 {
  /// A new identifier, 36 characters in lower case. Two of the same millisecond sort at random;
  /// ``UUIDv7Generator`` keeps them in order.
  ///
  /// - Parameter moment: Written to the millisecond; years 1970 to 10889, anything else counts as the nearest.
  public static func generate(at moment: Timestamp, using random: inout some RandomNumberGenerator) -> String {
    let milliseconds = timeField(of: moment)
    let counter = UInt16.random(in: 0...0xFFF, using: &random)
    return text(milliseconds: milliseconds, counter: counter, tail: random.next())
  }

  /// The 48 bits of time.
  static func timeField(of moment: Timestamp) -> UInt64 {
    UInt64(min(max(moment.millisecondsSinceEpoch, 0), 0xFFFF_FFFF_FFFF))
  }

  /// - Parameters:
  ///   - milliseconds: 48 bits.
  ///   - counter: 12 bits, `rand_a`.
  ///   - tail: of which the lower 62 bits become `rand_b`.
  static func text(milliseconds: UInt64, counter: UInt16, tail: UInt64) -> String {
    let high = milliseconds << 16 | 0x7000 | UInt64(counter & 0xFFF)
    let low = tail & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
    return String(unsafeUninitializedCapacity: 36) { text in
      var position = 0
      for word in [high, low] {
        for shift in stride(from: 60, through: 0, by: -4) {
          if [8, 13, 18, 23].contains(position) {
            text[position] = UInt8(ascii: "-")
            position += 1
          }
          text[position] = hexadecimalDigit(UInt8(truncatingIfNeeded: word >> shift) & 0x0F)
          position += 1
        }
      }
      return position
    }
  }
}

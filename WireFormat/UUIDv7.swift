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

  /// The lowest identifier of `moment`'s millisecond: what was made before it sorts below.
  public static func lowest(at moment: Timestamp) -> String {
    text(milliseconds: timeField(of: moment), counter: 0, tail: 0)
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
    String(unsafeUninitializedCapacity: 36) { text in
      var position = 0
      text.writeField(milliseconds >> 16, digits: 8, at: &position)
      text.writeField(milliseconds, digits: 4, at: &position)
      text.writeField(0x7000 | counter & 0xFFF, at: &position)
      text.writeField(0x8000 | tail >> 48 & 0x3FFF, digits: 4, at: &position)
      text.writeField(tail, digits: 12, at: &position)
      return position
    }
  }
}

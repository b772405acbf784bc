extension Timestamp {
  /// Reads an RFC 3339 date and time with any offset. A fraction may have any length; what is beyond milliseconds is
  /// cut off. A leap second (23:59:60 in UTC) counts as the millisecond before it ends.
  ///
  /// Nil when the text is anything else, or lies outside the years 1 to 9999 of UTC.
  public init?(rfc3339 text: String) {
    var copy = text
    guard let milliseconds = copy.withUTF8({ RFC3339Scanner.milliseconds($0) }) else { return nil }
    self.init(millisecondsSinceEpoch: milliseconds)
  }

  /// `2026-11-22T20:21:07.123Z`: always UTC, always three decimals, so that texts sort as moments do.
  /// A moment outside the years 1 to 9999 is written as the nearest one inside.
  public var rfc3339: String {
    String(unsafeUninitializedCapacity: Self.textLength) { format(into: $0) }
  }

  /// The moments that RFC 3339 can express.
  static let expressible: ClosedRange<Int64> = -62_135_596_800_000...253_402_300_799_999
  private static let textLength = 24

  private func format(into text: UnsafeMutableBufferPointer<UInt8>) -> Int {
    let moment = min(max(millisecondsSinceEpoch, Self.expressible.lowerBound), Self.expressible.upperBound)
    let (days, millisecondOfDay) = moment.flooredDivision(by: 86_400_000)
    let date = CivilDate(daysSinceEpoch: days)
    var position = 0

    func put(_ value: Int64, digits: Int, then separator: Unicode.Scalar) {
      var rest = value
      for index in stride(from: position + digits - 1, through: position, by: -1) {
        text[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
        rest /= 10
      }
      text[position + digits] = UInt8(ascii: separator)
      position += digits + 1
    }

    put(date.year, digits: 4, then: "-")
    put(date.month, digits: 2, then: "-")
    put(date.day, digits: 2, then: "T")
    put(millisecondOfDay / 3_600_000, digits: 2, then: ":")
    put(millisecondOfDay / 60_000 % 60, digits: 2, then: ":")
    put(millisecondOfDay / 1000 % 60, digits: 2, then: ".")
    put(millisecondOfDay % 1000, digits: 3, then: "Z")
    return position
  }
}

extension Timestamp: CustomStringConvertible {
  /// The same as ``rfc3339``.
  public var description: String { rfc3339 }
}

extension Timestamp: JSONEncodable {
  /// A string, as ``rfc3339`` gives it.
  public func write(to json: inout JSONWriter) { json.string(rfc3339) }
}

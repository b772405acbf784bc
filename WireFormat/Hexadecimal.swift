/// - Parameter value: 0 to 15.
func hexadecimalDigit(_ value: UInt8) -> UInt8 {
  value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
}

extension UnsafeMutableBufferPointer<UInt8> {
  /// Writes a field of the lowest `digits` hexadecimal digits of `number`, behind a dash where it is not the first.
  func writeField<Number: FixedWidthInteger>(
    _ number: Number, digits: Int = Number.bitWidth / 4, at position: inout Int
  ) {
    if position > 0 {
      self[position] = UInt8(ascii: "-")
      position += 1
    }
    var rest = number
    for index in stride(from: position + digits - 1, through: position, by: -1) {
      self[index] = hexadecimalDigit(UInt8(truncatingIfNeeded: rest) & 0x0F)
      rest >>= 4
    }
    position += digits
  }
}

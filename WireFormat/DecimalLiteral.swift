/// A number literal taken apart: the value is ± `digits` × 10^`exponent`, with no zero at either end of `digits`.
struct DecimalLiteral {
  private var isNegative = false
  /// The significant digits, as long as they may fit an `Int64`.
  private var digits: UInt64 = 0
  private var digitCount = 0
  private var exponent = 0

  /// An exponent beyond this changes nothing any more, and sums of it cannot overflow.
  private static let exponentLimit = 1_000_000_000_000

  /// - Parameter literal: A JSON number.
  init(_ literal: UnsafeBufferPointer<UInt8>) {
    var isFraction = false
    var pendingZeros = 0
    for index in literal.indices {
      switch literal[index] {
      case UInt8(ascii: "-"): isNegative = true
      case UInt8(ascii: "."): isFraction = true
      case UInt8(ascii: "e"), UInt8(ascii: "E"):
        exponent += pendingZeros + Self.exponent(literal[(index + 1)...])
        return
      case UInt8(ascii: "0"):
        if isFraction { exponent -= 1 }
        if digitCount > 0 { pendingZeros += 1 }
      case let digit:
        if isFraction { exponent -= 1 }
        append(digit - UInt8(ascii: "0"), afterZeros: pendingZeros)
        pendingZeros = 0
      }
    }
    exponent += pendingZeros
  }

  /// Zeros count only once a digit follows them; those at the end become part of the exponent.
  private mutating func append(_ digit: UInt8, afterZeros zeros: Int) {
    digitCount += zeros + 1
    guard digitCount <= Self.mostDigits else { return }
    for _ in 0..<zeros { digits *= 10 }
    digits = digits * 10 + UInt64(digit)
  }

  /// 9,223,372,036,854,775,807 has 19 digits, and 19 nines fit a `UInt64`.
  private static let mostDigits = 19

  private static func exponent(_ literal: Slice<UnsafeBufferPointer<UInt8>>) -> Int {
    var value = 0
    for byte in literal where byte != UInt8(ascii: "-") && byte != UInt8(ascii: "+") {
      value = min(value * 10 + Int(byte - UInt8(ascii: "0")), exponentLimit)
    }
    return literal.first == UInt8(ascii: "-") ? -value : value
  }

  func scaled(decimals: Int) -> Int64? {
    if digitCount == 0 { return 0 }
    let (shift, overflows) = exponent.addingReportingOverflow(decimals)
    guard !overflows, shift >= 0, shift <= Self.mostDigits - 1, digitCount + shift <= Self.mostDigits else {
      return nil
    }
    var magnitude = digits
    for _ in 0..<shift { magnitude *= 10 }
    return isNegative
      ? (magnitude <= Int64.min.magnitude ? Int64(truncatingIfNeeded: 0 &- magnitude) : nil)
      : Int64(exactly: magnitude)
  }
}

/// Reads `date-time` of RFC 3339, section 5.6, by integer arithmetic.
struct RFC3339Scanner {
  private let text: UnsafeBufferPointer<UInt8>
  private var position = 0

  /// Milliseconds since 1970, nil when `text` is not a date and time of the years 1 to 9999.
  static func milliseconds(_ text: UnsafeBufferPointer<UInt8>) -> Int64? {
    var scanner = RFC3339Scanner(text: text)
    return scanner.scan()
  }

  private init(text: UnsafeBufferPointer<UInt8>) {
    self.text = text
  }

  private mutating func scan() -> Int64? {
    guard let date = scanDate(), take("T", or: "t"),
      let time = scanTime(), let fraction = scanFraction(), let offset = scanOffset(), position == text.count
    else { return nil }
    let isLeapSecond = time.second == 60
    let second = isLeapSecond ? 59 : time.second
    let secondOfDay = time.hour * 3600 + time.minute * 60 + second
    let seconds = date.daysSinceEpoch * 86_400 + secondOfDay - offset * 60
    if isLeapSecond, seconds.flooredDivision(by: 86_400).remainder != 86_399 { return nil }
    let milliseconds = seconds * 1000 + (isLeapSecond ? 999 : fraction)
    return Timestamp.expressible.contains(milliseconds) ? milliseconds : nil
  }

  private mutating func scanDate() -> CivilDate? {
    guard let year = number(digits: 4), take("-"), let month = number(digits: 2), take("-"),
      let day = number(digits: 2)
    else { return nil }
    return CivilDate(year: year, month: month, day: day)
  }

  private mutating func scanTime() -> (hour: Int64, minute: Int64, second: Int64)? {
    guard let hour = number(digits: 2), hour < 24, take(":"), let minute = number(digits: 2), minute < 60,
      take(":"), let second = number(digits: 2), second <= 60
    else { return nil }
    return (hour, minute, second)
  }

  /// Milliseconds; 0 where there is no fraction, nil where a point has no digit behind it.
  private mutating func scanFraction() -> Int64? {
    guard take(".") else { return 0 }
    let start = position
    var milliseconds: Int64 = 0
    var weight: Int64 = 100
    while let digit = digit() {
      milliseconds += digit * weight
      weight /= 10
    }
    return position > start ? milliseconds : nil
  }

  /// Minutes east of UTC.
  private mutating func scanOffset() -> Int64? {
    if take("Z", or: "z") { return 0 }
    let isEast = take("+")
    guard isEast || take("-"), let hour = number(digits: 2), hour < 24, take(":"),
      let minute = number(digits: 2), minute < 60
    else { return nil }
    let minutes = hour * 60 + minute
    return isEast ? minutes : -minutes
  }

  private mutating func number(digits: Int) -> Int64? {
    var value: Int64 = 0
    for _ in 0..<digits {
      guard let digit = digit() else { return nil }
      value = value * 10 + digit
    }
    return value
  }

  private mutating func digit() -> Int64? {
    guard position < text.count, case let value = text[position] &- UInt8(ascii: "0"), value < 10 else { return nil }
    position += 1
    return Int64(value)
  }

  private mutating func take(_ character: Unicode.Scalar, or other: Unicode.Scalar? = nil) -> Bool {
    guard position < text.count else { return false }
    let scalar = Unicode.Scalar(text[position])
    guard scalar == character || scalar == other else { return false }
    position += 1
    return true
  }
}

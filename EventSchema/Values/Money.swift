import WireFormat

/// An amount in the shop's one currency, exact: whole hundredths, never a binary fraction.
public struct Money: Sendable, Hashable, Comparable {
  /// The amount in hundredths: 4990 is 49.90.
  public var minorUnits: Int64

  /// How many decimals an amount has.
  public static let decimals = 2
  /// 0.00
  public static let zero = Money(minorUnits: 0)

  /// An amount of so many hundredths.
  public init(minorUnits: Int64) {
    self.minorUnits = minorUnits
  }

  /// Nil when `number` has more than two decimals (`49.900` has two), or is out of range.
  public init?(_ number: JSONNumber) {
    guard let minorUnits = number.scaled(decimals: Self.decimals) else { return nil }
    self.init(minorUnits: minorUnits)
  }

  /// Nil when `value` is no number, has more than two decimals (`49.900` has two), or is out of range.
  public init?(_ value: JSONElement) {
    guard let minorUnits = value.scaled(decimals: Self.decimals) else { return nil }
    self.init(minorUnits: minorUnits)
  }

  /// By amount.
  public static func < (left: Money, right: Money) -> Bool { left.minorUnits < right.minorUnits }

  /// Nil when the sum is out of range.
  public static func + (left: Money, right: Money) -> Money? {
    let (sum, overflows) = left.minorUnits.addingReportingOverflow(right.minorUnits)
    return overflows ? nil : Money(minorUnits: sum)
  }

  /// Nil when the product is out of range.
  public static func * (left: Money, right: Int) -> Money? {
    let (product, overflows) = left.minorUnits.multipliedReportingOverflow(by: Int64(right))
    return overflows ? nil : Money(minorUnits: product)
  }
}

extension Money: CustomStringConvertible {
  /// `49.90`: always two decimals, no grouping, no currency.
  public var description: String { String(decoding: jsonBytes, as: UTF8.self) }
}

/// A JSON number with two decimals: `49.90`.
extension Money: JSONEncodable {
  /// Writes the amount with both of its decimals.
  public func write(to json: inout JSONWriter) { json.decimal(minorUnits: minorUnits, decimals: Self.decimals) }
}

import WireFormat

/// The name of one thing: 1 to 64 characters of `A-Z a-z 0-9 . _ -`. Each kind of thing has a type of its own, so
/// that the id of an order cannot be taken for that of a product.
public protocol Identifier: Sendable, Hashable, Comparable, CustomStringConvertible, JSONEncodable {
  /// The identifier as it is sent and stored.
  var rawValue: String { get }

  /// Nil when `text` is not 1 to 64 of the allowed characters.
  init?(_ text: String)
}

extension Identifier {
  /// A new identifier that sorts after all that `generator` has made, a UUID of version 7.
  public static func next(from generator: UUIDv7Generator, at moment: Timestamp) -> Self {
    guard let identifier = Self(generator.next(at: moment)) else {
      preconditionFailure("36 characters of 0-9 a-f - are an identifier")
    }
    return identifier
  }

  /// The identifier as it is sent and stored.
  public var description: String { rawValue }

  /// By bytes, so identifiers of version 7 by their time.
  public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

  /// Writes a string.
  public func write(to json: inout JSONWriter) { json.string(rawValue) }
}

/// What every identifier keeps to.
enum IdentifierRule {
  static let description = "must be 1 to 64 of A-Z a-z 0-9 . _ -"
  private static let length = 1...64

  static func allows(_ text: String) -> Bool {
    var copy = text
    return copy.withUTF8 { length.contains($0.count) && $0.allSatisfy(allows) }
  }

  private static func allows(_ character: UInt8) -> Bool {
    character < 128 && (character < 64 ? low : high) >> UInt64(character & 63) & 1 == 1
  }

  /// A bit for each allowed character below 64: `-`, `.` and the digits.
  private static let low: UInt64 = 0b11 << 45 | 0x3FF << 48
  /// The same from 64 on: the letters and `_`.
  private static let high: UInt64 = 0x3FF_FFFF << 1 | 1 << 31 | 0x3FF_FFFF << 33
}

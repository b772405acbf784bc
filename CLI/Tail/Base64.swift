import Foundation

/// Bytes as text and back (RFC 4648, with padding).
enum Base64 {
  static func encoded(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

  /// Nil when `text` is no base64.
  static func decoded(_ text: String) -> [UInt8]? { Data(base64Encoded: text).map(Array.init) }
}

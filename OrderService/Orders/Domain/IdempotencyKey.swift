/// What a client calls one attempt to order, so that it may ask again when no answer came: 1 to 255 visible characters
/// of ASCII. It belongs to who asks: the same text from somebody else is another key.
public struct IdempotencyKey: Sendable, Hashable {
  public static let lengthRange = 1...255

  /// Who asks: the fingerprint of a token, or `anonymous`.
  public let requester: String
  public let text: String

  /// Nil when `text` is out of its bounds.
  public init?(_ text: String, of requester: String) {
    guard Self.lengthRange.contains(text.utf8.count), text.utf8.allSatisfy(Self.isVisible) else { return nil }
    self.requester = requester
    self.text = text
  }

  private static func isVisible(_ character: UInt8) -> Bool {
    (UInt8(ascii: "!")...UInt8(ascii: "~")).contains(character)
  }
}

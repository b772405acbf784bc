/// Why bytes are not the JSON that is accepted here.
public struct JSONParseError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What is wrong, in words that can be shown to the sender: "unexpected end".
  public var reason: String
  /// The number of bytes before the one that is wrong.
  public var offset: Int

  /// Says what is wrong, `offset` bytes from the start.
  public init(reason: String, offset: Int) {
    self.reason = reason
    self.offset = offset
  }

  /// `not JSON: unexpected end at byte 12`.
  public var description: String { "not JSON: \(reason) at byte \(offset)" }
}

/// Names a product in the inventory.
public struct ProductID: Identifier {
  /// The identifier as it is sent and stored.
  public let rawValue: String

  /// Nil when `text` is not 1 to 64 of `A-Z a-z 0-9 . _ -`.
  public init?(_ text: String) {
    guard IdentifierRule.allows(text) else { return nil }
    rawValue = text
  }
}

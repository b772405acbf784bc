/// Names a product in the inventory.
public struct ProductID: Identifier {
  public let rawValue: String

  public init?(_ text: String) {
    guard IdentifierRule.allows(text) else { return nil }
    rawValue = text
  }
}

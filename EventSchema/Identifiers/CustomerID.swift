/// Names the customer who placed an order.
public struct CustomerID: Identifier {
  public let rawValue: String

  public init?(_ text: String) {
    guard IdentifierRule.allows(text) else { return nil }
    rawValue = text
  }
}

/// Names an order; also the key of every record about it, so that one partition has all of them in order.
public struct OrderID: Identifier {
  public let rawValue: String

  public init?(_ text: String) {
    guard IdentifierRule.allows(text) else { return nil }
    rawValue = text
  }
}

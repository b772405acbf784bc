/// Names what the inventory holds for one order.
public struct ReservationID: Identifier {
  public let rawValue: String

  public init?(_ text: String) {
    guard IdentifierRule.allows(text) else { return nil }
    rawValue = text
  }
}

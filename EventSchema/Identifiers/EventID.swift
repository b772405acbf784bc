/// Names an event. Copies of an event have the same id: that is how a consumer recognises them.
public struct EventID: Identifier {
  public let rawValue: String

  public init?(_ text: String) {
    guard IdentifierRule.allows(text) else { return nil }
    rawValue = text
  }
}

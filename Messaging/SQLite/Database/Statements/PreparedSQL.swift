/// A statement that is carried out for every order or event: prepared once per connection and found by identity.
///
/// Held by a `static let`. For everything that is rarer, GRDB's own statements are the better choice.
public final class PreparedSQL: Sendable {
  public let text: String

  public init(_ text: String) { self.text = text }
}

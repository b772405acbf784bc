import Synchronization

/// A statement that is carried out for every order or event: prepared once per connection and found by identity.
///
/// Held by a `static let`: its place in the list of statements is never given to another. For everything that is rarer,
/// GRDB's own statements are the better choice.
public final class PreparedSQL: Sendable {
  public let text: String
  /// Counts up over the process: where each writer finds the statement it has prepared for this text.
  let place: Int

  public init(_ text: String) {
    self.text = text
    place = Self.places.wrappingAdd(1, ordering: .relaxed).oldValue
  }

  private static let places = Atomic(0)
}

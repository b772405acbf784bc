/// Bounds that belong to no single type.
public enum EventBounds {
  /// How many characters a reason may have.
  public static let longestReason = 500
}

/// What one bounded step of a purge did.
public struct PurgeStep<Position: Sendable & Hashable>: Sendable, Hashable {
  /// Rows that were deleted.
  public var deleted: Int
  /// Where to go on; nil at the end.
  public var next: Position?
}

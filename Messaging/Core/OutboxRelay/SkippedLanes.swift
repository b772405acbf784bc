/// Keys whose rows are left in the store for a while: the broker refuses the first, or too many wait behind it.
///
/// Once a row of a key was skipped, all later ones are, until reading goes back to the first: so none overtakes.
struct SkippedLanes: Sendable {
  private struct Skip {
    var from: Int64
    /// Nil: until fewer rows of the key are in memory.
    var until: Duration?
  }

  private var skips: [RelayWindow.Lane: Skip] = [:]
  private(set) var nextRetry: Duration?

  var isEmpty: Bool { skips.isEmpty }

  /// Keys whose first row the broker refuses.
  var refusedCount: Int { skips.values.count { $0.until != nil } }

  mutating func skip(_ lane: RelayWindow.Lane, from sequence: Int64, until moment: Duration?) {
    skips[lane] = Skip(from: min(sequence, skips[lane]?.from ?? sequence), until: moment)
    if let moment { nextRetry = min(nextRetry ?? moment, moment) }
  }

  /// Whether rows of `lane` are being skipped; `sequence` is skipped then.
  mutating func contains(_ lane: RelayWindow.Lane, skipping sequence: Int64) -> Bool {
    guard !skips.isEmpty, let skip = skips[lane] else { return false }
    if sequence < skip.from { skips[lane]?.from = sequence }
    return true
  }

  /// The lowest row of keys whose time has come: reading has to go back to it.
  mutating func due(at now: Duration) -> Int64? {
    guard let nextRetry, nextRetry <= now else { return nil }
    let due = skips.filter { ($0.value.until ?? now + .seconds(1)) <= now }
    for lane in due.keys { skips[lane] = nil }
    self.nextRetry = skips.values.compactMap(\.until).min()
    return due.values.map(\.from).min()
  }

  /// `count` rows of `lane` are left in memory. At half of `limit` reading goes back to the first that was skipped.
  mutating func drained(_ lane: RelayWindow.Lane, to count: Int, of limit: Int) -> Int64? {
    guard count <= limit / 2, let skip = skips[lane], skip.until == nil else { return nil }
    skips[lane] = nil
    return skip.from
  }
}

import TestSupport

/// What may go wrong in a run. A seed has some of them and not the others: with all of them at once, most runs would look
/// alike, and the rare meetings of two would not come up.
enum Fault: CaseIterable {
  /// An instance dies between any two things that it does.
  case death
  /// Others do something between any two things that an instance does.
  case interleaving
  /// An instance stands still between two things that it does, longer than its lease and its group's patience.
  case pause
  /// Several instances of a service.
  case instances
  /// An instance stops in good order.
  case leaving
  /// A group takes a living member for dead, which goes on until it notices.
  case expulsion
  /// A group commits what was stored only when a partition is given up.
  case lateCommits
  /// The broker cannot be reached for a while.
  case outage
  /// A message is refused, or written while its acknowledgement is lost.
  case lostAcknowledgements
  /// Acknowledgements come late.
  case lateAcknowledgements
  /// Producers refuse to go on.
  case brokenProducers
  /// The broker comes back without its data, as another cluster or under the same name.
  case dataLoss
  /// Earlier records come once more.
  case copies
  /// Records of one partition overtake those of another.
  case heldRecords
  /// A few records at a time.
  case smallFetches
  /// What nobody can read, and what is no business of ours.
  case garbage
  /// Events of orders that OrderService never had.
  case foreigners
  /// A store refuses an order's rows for a while, or for good: its handler fails.
  case poison
  /// A store cannot grow for a while.
  case fullDisk
  /// People redrive, discard and replay, also what others are just dealing with.
  case operators
  /// The time of day jumps, on all machines.
  case clockJumps

  /// The faults of a run.
  static func some(using random: inout SeededGenerator) -> Set<Fault> {
    let probability = Double.random(in: 0.2...0.7, using: &random)
    var chosen: Set<Fault> = []
    for fault in allCases where Double.random(in: 0..<1, using: &random) < probability { chosen.insert(fault) }
    // A loss hides much of what can be checked otherwise.
    if Int.random(in: 0..<3, using: &random) > 0 { chosen.remove(.dataLoss) }
    return chosen
  }
}

/// What an instance meets with at the step at which a simulation lets it die.
struct SimulatedDeath: Error {}

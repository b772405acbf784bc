import WireFormat

/// Parked events whose turn has come.
extension RecordProcessor {
  func park(_ parked: ParkedRecord, _ round: Round) throws {
    try store.park(parked, in: round.transaction)
    round.hasParked = true
  }

  /// Handles the parked events that follow the cursor of a key, one savepoint each, up to the first that is missing or
  /// fails. That one stays parked, and is found by ``sweep(_:knowing:in:)`` when its pause is over.
  ///
  /// - Parameter version: the key's cursor, where it is known.
  func processSuccessors(ofKey key: String, after version: Int64? = nil, _ round: Round) throws {
    guard round.hasParked else { return }
    let transaction = round.transaction
    var cursor = try version ?? store.cursor(of: key, in: transaction)
    while cursor < .max {
      // Read outside of the savepoint that may undo the taking: the failure has to name it.
      var taken: (entry: InboxEntry, record: ConsumedRecord)?
      do {
        let hasEffect = try store.savepoint(in: transaction) { () -> Bool? in
          guard let parked = try store.takeParked(key: key, version: cursor + 1, in: transaction) else { return nil }
          let subject = HandlingSubject.event(id: parked.identity.eventID)
          let failures = parked.attempts + round.deaths.number(of: subject)
          let entry = entry(of: parked.identity, parked.record, failures: failures)
          taken = (entry, parked.record)
          return try handle(parked, entry, as: subject, round)
        }
        guard let hasEffect else { return }
        round.outcome.counts.add(.handle, hasEffect: hasEffect)
        cursor += 1
      } catch {
        guard let (entry, record) = taken else { throw error }
        guard isToRetry(entry, try decision(about: error)) else {
          return try giveUpParked(entry, record, error, round)
        }
        let pause = retry.backoff(after: entry)
        // Deaths are counted where they are, and not twice.
        var failed = entry
        failed.attempts -= round.deaths.number(of: .event(id: entry.identity.eventID))
        try store.postpone(failed, until: clocks.wall() + pause, error: String(describing: error), in: transaction)
        return round.outcome.postponed(EventFailure(entry, error), entry.topicPartition, for: pause)
      }
    }
  }

  /// Handles the parked events of `keys` that have become next and were not handled by whoever made them so: they
  /// failed, or the process died in between. Any member of the group may do it, whoever has the partition.
  ///
  /// - Parameter failures: of the same sweep, in a transaction that was undone.
  func sweep(
    _ keys: [String], knowing failures: KnownFailures, in transaction: Store.Transaction
  ) throws -> WorkerOutcome {
    let round = try begin(transaction, knowing: failures)
    for key in keys { try processSuccessors(ofKey: key, round) }
    return round.outcome
  }

  /// - Returns: whether it had an effect.
  private func handle(
    _ parked: ParkedRecord, _ entry: InboxEntry, as subject: HandlingSubject, _ round: Round
  ) throws -> Bool {
    let mayRun = entry.attempts <= retry.maxAttempts
    let event = mayRun && !parked.isDiscarded ? try event(of: parked, as: subject) : nil
    try run(event, entry, of: parked.record, as: subject, round)
    try moveCursor(to: entry.identity, in: round.transaction)
    try store.settle(entry, outcome: parked.isDiscarded ? .discarded : .processed, in: round.transaction)
    try forgetDeaths(of: subject, round)
    return event != nil
  }

  /// The event of a record that could be read when it was parked. This service may have changed since.
  private func event(of parked: ParkedRecord, as subject: HandlingSubject) throws -> Event? {
    switch read(parked.record, as: subject) {
    case .event(_, let event): event
    case .withoutEffect, .ignored: nil
    case .unreadable(let unreadable): throw DeadLetterError(unreadable.reason)
    }
  }

  private func giveUpParked(
    _ entry: InboxEntry, _ record: ConsumedRecord, _ error: any Error, _ round: Round
  ) throws {
    let transaction = round.transaction
    let entry = withAttemptsMade(entry)
    try store.savepoint(in: transaction) {
      _ = try store.takeParked(key: entry.identity.key, version: entry.identity.version ?? 0, in: transaction)
      try store.settle(entry, outcome: .deadLettered, in: transaction)
      try keep(deadLetter(of: entry, record, error), in: transaction)
    }
    try forgetDeaths(of: .event(id: entry.identity.eventID), round)
    round.outcome.gaveUp(entry, error)
  }
}

extension RetryPolicy {
  /// The pause after an attempt at `entry`. The jitter follows from the event, so that a transaction that has to be done
  /// again decides the same; and no two events come back together.
  fileprivate func backoff(after entry: InboxEntry) -> Duration {
    let seed = entry.identity.eventID.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) {
      ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3
    }
    var random = SeededRandom(seed: seed &+ UInt64(entry.attempts))
    return backoff(afterAttempt: entry.attempts, using: &random)
  }
}

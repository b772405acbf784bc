import FaultInjection
import WireFormat

/// What came of a redrive.
public enum RedriveOutcome: Sendable, Hashable {
  /// Handled; or parked in its place; or its place among the versions of its key was taken already.
  case resolved
  /// A dead letter again, published again.
  case failedAgain(redrives: Int, error: String)
  /// Nothing was done: it was resolved before.
  case alreadyResolved
  /// Nothing was done: it was discarded before.
  case discarded
}

/// What came of a discard.
public enum DiscardOutcome: Sendable, Hashable {
  case discarded
  case alreadyDiscarded
  /// Nothing was done: it was redriven with success before.
  case alreadyResolved
}

/// What came of giving up the versions that a key waits for.
public enum GapDiscardOutcome: Sendable, Hashable {
  /// These versions will never be handled; what was parked behind them follows.
  case discarded(versions: ClosedRange<Int64>)
  /// Nothing was done: one of these versions is an open dead letter, which has to be redriven or discarded itself.
  case deadLetterInTheWay(Int64)
  /// Nothing was done: no version is missing before the first parked one.
  case nothingMissing
}

/// Deals with a group's dead letters inside that group: from the bytes in its store, each in one transaction, once in
/// effect however often and from however many instances it is asked for.
///
/// Every member blocks the calling thread. A value without a state: who waits between two attempts is the caller.
struct DeadLetterQueue<Store: InboxStore, Event: Sendable>: Sendable {
  let processor: RecordProcessor<Store, Event>

  /// What came of one attempt of a redrive.
  enum RedriveStep: Sendable, Hashable {
    /// Nil where there is no such dead letter.
    case finished(RedriveOutcome?)
    /// The handler failed, and may be asked again after a pause.
    case again(redrives: Int, error: String)
  }

  private typealias Round = ProcessingRound<Store.Transaction>

  private var store: Store { processor.store }

  // MARK: Redrive

  /// Makes one attempt.
  ///
  /// - Parameters:
  ///   - attempt: 1 at first.
  ///   - redrives: what ``RedriveStep/again(redrives:error:)`` said after the first attempt. Where the dead letter has
  ///     failed again meanwhile, in the hands of somebody else, that is the outcome of this redrive too.
  /// - Throws: `StoreUnavailable` and `StopConsuming`: nothing was done or counted.
  func redrive(
    _ id: Int64, attempt: Int, begunAt redrives: Int?, by requester: Requester
  ) throws -> (step: RedriveStep, outcome: WorkerOutcome) {
    try store.transact { transaction in
      let round = try processor.begin(transaction)
      guard let kept = try store.deadLetter(id, in: transaction) else { return (.finished(nil), round.outcome) }
      switch kept.status {
      case _ where Mutation.redriveEachTime.isOn: break
      case .resolved: return (.finished(.alreadyResolved), round.outcome)
      case .discarded: return (.finished(.discarded), round.outcome)
      case .open: break
      }
      if let redrives, redrives != kept.letter.redrives {
        return (.finished(.failedAgain(redrives: kept.letter.redrives, error: kept.letter.error)), round.outcome)
      }
      do {
        let key = try store.savepoint(in: transaction) {
          let key = try handleAgain(kept, attempt: attempt, by: requester, round)
          try store.close(id, as: .resolved, reason: nil, in: transaction)
          try record(.redrive, .resolved, of: kept, by: requester, in: transaction)
          return key
        }
        if let key { try processor.processSuccessors(ofKey: key, round) }
        return (.finished(.resolved), round.outcome)
      } catch {
        if case .retry = try processor.decision(about: error), attempt < processor.retry.maxAttempts {
          return (.again(redrives: kept.letter.redrives, error: String(describing: error)), round.outcome)
        }
        let failed = try failAgain(kept, error, attempts: attempt, by: requester, in: transaction)
        return (.finished(.failedAgain(redrives: failed.redrives, error: failed.error)), round.outcome)
      }
    }
  }

  /// - Returns: the key whose cursor has moved.
  private func handleAgain(
    _ kept: KeptDeadLetter, attempt: Int, by requester: Requester, _ round: Round
  ) throws -> String? {
    let subject = HandlingSubject.redrive(
      deadLetterID: kept.id, redrives: kept.letter.redrives, attempt: attempt, requester)
    switch processor.read(kept.letter.record, as: subject) {
    case .unreadable(let unreadable): throw DeadLetterError(unreadable.reason)
    case .ignored:
      try settle(kept, as: .processed, attempt: attempt, in: round.transaction)
      return nil
    case .withoutEffect(let identity):
      return try takePlace(identity, nil, of: kept, as: subject, attempt: attempt, round)
    case .event(let identity, let event):
      return try takePlace(identity, event, of: kept, as: subject, attempt: attempt, round)
    }
  }

  private func takePlace(
    _ identity: EventIdentity, _ event: Event?, of kept: KeptDeadLetter, as subject: HandlingSubject, attempt: Int,
    _ round: Round
  ) throws -> String? {
    let transaction = round.transaction
    // An id that could not be read is one that the same event may have been handled under since.
    let known = try store.outcome(ofEvent: identity.eventID, in: transaction)
    try settle(kept, as: .processed, attempt: attempt, in: transaction)
    guard known == nil || (known == .deadLettered && !Mutation.redriveIsADuplicate.isOn) else {
      round.outcome.counts.duplicates += 1
      return nil
    }
    try processor.forgetDeaths(of: .event(id: identity.eventID), round)
    let record = kept.letter.record
    let entry = InboxEntry(
      identity: identity, topicPartition: record.topicPartition, offset: record.offset, attempts: attempt)
    let cursor = identity.version == nil ? 0 : try store.cursor(of: identity.key, in: transaction)
    switch EventPlace(version: identity.version, cursor: cursor) {
    case .stale:
      round.outcome.counts.stale += 1
      try store.settle(entry, outcome: .discarded, in: transaction)
      return nil
    case .ahead:
      round.outcome.counts.parked += 1
      try store.settle(entry, outcome: .parked, in: transaction)
      try processor.park(ParkedRecord(identity: identity, record: record), round)
      return nil
    case .next, .unordered:
      try processor.run(event, entry, of: record, as: subject, round)
      try processor.moveCursor(to: identity, in: transaction)
      try store.settle(entry, outcome: .processed, in: transaction)
      round.outcome.counts.add(.handle, hasEffect: event != nil)
      return identity.version == nil ? nil : identity.key
    }
  }

  /// The same record, published again under its next number.
  private func failAgain(
    _ kept: KeptDeadLetter, _ error: any Error, attempts: Int, by requester: Requester,
    in transaction: Store.Transaction
  ) throws -> DeadLetter {
    var letter = kept.letter
    letter.redrives += 1
    letter.error = String(describing: error)
    letter.attempts = attempts
    letter.failedAt = processor.clocks.wall()
    try store.savepoint(in: transaction) {
      try store.renew(kept.id, as: letter, in: transaction)
      try record(.redrive, .failedAgain, of: kept, by: requester, detail: letter.error, in: transaction)
    }
    return letter
  }

  // MARK: Discard

  /// Gives the event up. Its place among the versions of its key is taken without an effect: at once where it is the
  /// next, else in its turn, so that the cursor never jumps over a missing version.
  func discard(
    _ id: Int64, by requester: Requester
  ) throws -> (result: DiscardOutcome?, outcome: WorkerOutcome) {
    try store.transact { transaction in
      let round = try processor.begin(transaction)
      guard let kept = try store.deadLetter(id, in: transaction) else { return (nil, round.outcome) }
      switch kept.status {
      case .resolved: return (.alreadyResolved, round.outcome)
      case .discarded: return (.alreadyDiscarded, round.outcome)
      case .open: break
      }
      let movedKey = try store.savepoint(in: transaction) {
        try settle(kept, as: .discarded, attempt: kept.letter.attempts, in: transaction)
        try store.close(id, as: .discarded, reason: requester.reason, in: transaction)
        try record(.discard, .discarded, of: kept, by: requester, in: transaction)
        return try leavePlace(of: kept, round)
      }
      if let movedKey { try processor.processSuccessors(ofKey: movedKey, round) }
      return (.discarded, round.outcome)
    }
  }

  /// - Returns: the key whose cursor has moved.
  private func leavePlace(of kept: KeptDeadLetter, _ round: Round) throws -> String? {
    let transaction = round.transaction
    guard let key = kept.letter.key, let version = kept.letter.version else { return nil }
    switch EventPlace(version: version, cursor: try store.cursor(of: key, in: transaction)) {
    case .stale, .unordered: return nil
    case .next:
      try store.moveCursor(of: key, to: version, in: transaction)
      return key
    case .ahead:
      try processor.park(
        ParkedRecord(identity: kept.identity, record: kept.letter.record, isDiscarded: true), round)
      return nil
    }
  }

  /// Gives up the versions that are missing before the first parked one of `key`.
  ///
  /// - Returns: nil where nothing is parked under that key.
  func discardGap(
    ofKey key: String, by requester: Requester
  ) throws -> (result: GapDiscardOutcome?, outcome: WorkerOutcome) {
    try store.transact { transaction in
      let round = try processor.begin(transaction)
      guard let first = try store.firstParkedVersion(of: key, in: transaction) else { return (nil, round.outcome) }
      let cursor = max(0, try store.cursor(of: key, in: transaction))
      guard first > cursor, first - cursor > 1 else { return (.nothingMissing, round.outcome) }
      let missing = (cursor + 1)...(first - 1)
      if let letter = try store.openDeadLetter(ofKey: key, versions: missing, in: transaction) {
        return (.deadLetterInTheWay(letter.id), round.outcome)
      }
      try store.savepoint(in: transaction) {
        try store.moveCursor(of: key, to: missing.upperBound, in: transaction)
        try store.record(
          DeadLetterAudit(
            .discardGap, .discarded, by: requester, at: processor.clocks.wall(), deadLetterID: nil, key: key,
            detail: "versions \(missing.lowerBound) to \(missing.upperBound)"), in: transaction)
      }
      try processor.processSuccessors(ofKey: key, round)
      return (.discarded(versions: missing), round.outcome)
    }
  }

  // MARK: Rows

  /// Of the event under the name that the dead letter has for it. A row that says something else belongs to another
  /// record of the same id, and stays.
  private func settle(
    _ kept: KeptDeadLetter, as outcome: InboxOutcome, attempt: Int, in transaction: Store.Transaction
  ) throws {
    guard try store.outcome(ofEvent: kept.letter.eventID, in: transaction) == .deadLettered else { return }
    let record = kept.letter.record
    try store.settle(
      InboxEntry(
        identity: kept.identity, topicPartition: record.topicPartition, offset: record.offset, attempts: attempt),
      outcome: outcome, in: transaction)
  }

  private func record(
    _ action: DeadLetterAudit.Action, _ result: DeadLetterAudit.Outcome, of kept: KeptDeadLetter,
    by requester: Requester, detail: String? = nil, in transaction: Store.Transaction
  ) throws {
    try store.record(
      DeadLetterAudit(
        action, result, by: requester, at: processor.clocks.wall(), deadLetterID: kept.id, key: kept.letter.key,
        detail: detail), in: transaction)
  }
}

extension KeptDeadLetter {
  fileprivate var identity: EventIdentity {
    EventIdentity(
      eventID: letter.eventID, eventType: letter.eventType ?? "", key: letter.key ?? "", version: letter.version)
  }
}

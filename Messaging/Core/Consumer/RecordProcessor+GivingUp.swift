import FaultInjection
import WireFormat

/// Failures, and what is given up for them.
extension RecordProcessor {
  /// What to do about an event that failed.
  ///
  /// - Throws: `error`, where it concerns more than this event.
  func decision(about error: any Error) throws -> FailureClassification {
    let decision = FailureClassification(error)
    switch decision {
    case .waitForStore, .stop: throw error
    case .retry, .deadLetter: return decision
    }
  }

  /// Deals with the failure of an event whose writes are undone.
  ///
  /// - Returns: the failure where it is to be tried again; nil where the event was given up.
  func settleFailure(
    of entry: InboxEntry, _ record: ConsumedRecord, _ error: any Error, _ round: Round
  ) throws -> EventFailure? {
    if Mutation.dedupSurvivesFailure.isOn {
      _ = try store.register(entry, outcome: .processed, in: round.transaction)
    }
    if isToRetry(entry, try decision(about: error)) {
      round.outcome.counts.retries += 1
      return EventFailure(entry, error)
    }
    try giveUp(entry, record, error, round)
    return nil
  }

  func isToRetry(_ entry: InboxEntry, _ decision: FailureClassification) -> Bool {
    decision == .retry && entry.attempts < retry.maxAttempts
  }

  func entry(of identity: EventIdentity, _ record: ConsumedRecord, failures: Int) -> InboxEntry {
    InboxEntry(
      identity: identity, topicPartition: record.topicPartition, offset: record.offset, attempts: failures + 1)
  }

  /// An event that is dealt with, or that has got its attempts counted elsewhere, starts from nothing when it comes again.
  func forgetDeaths(of subject: HandlingSubject, _ round: Round) throws {
    if round.deaths.number(of: subject) > 0 { try store.forgetDeaths(of: subject, in: round.transaction) }
  }

  /// Rule 5, after the last attempt.
  func giveUp(_ entry: InboxEntry, _ record: ConsumedRecord, _ error: any Error, _ round: Round) throws {
    let entry = withAttemptsMade(entry)
    try store.savepoint(in: round.transaction) {
      _ = try store.register(entry, outcome: .deadLettered, in: round.transaction)
      try keep(deadLetter(of: entry, record, error), in: round.transaction)
    }
    try forgetDeaths(of: .event(id: entry.identity.eventID), round)
    round.outcome.gaveUp(entry, error)
  }

  /// Rule 2. Its id may be one that was processed: an event that was changed on its way is a dead letter all the same,
  /// once.
  func giveUp(
    _ unreadable: UnreadableRecord, _ record: ConsumedRecord, attempts: Int, _ round: Round
  ) throws {
    let deadLetter = DeadLetter(
      unreadable: unreadable, record: record, consumerGroup: group, attempts: attempts, failedAt: clocks.wall())
    let identity = EventIdentity(
      eventID: deadLetter.eventID, eventType: unreadable.eventType ?? "", key: unreadable.key ?? "",
      version: unreadable.version)
    let entry = entry(of: identity, record, failures: attempts - 1)
    let isKept = try store.savepoint(in: round.transaction) {
      _ = try store.register(entry, outcome: .deadLettered, in: round.transaction)
      return try store.keep(deadLetter, in: round.transaction)
    }
    guard isKept else { return round.outcome.counts.duplicates += 1 }
    round.outcome.gaveUp(entry, DeadLetterError(unreadable.reason))
  }

  func deadLetter(of entry: InboxEntry, _ record: ConsumedRecord, _ error: any Error) -> DeadLetter {
    DeadLetter(
      consumerGroup: group, eventID: entry.identity.eventID, eventType: entry.identity.eventType,
      key: entry.identity.key, version: entry.identity.version, record: record, error: String(describing: error),
      attempts: entry.attempts, redrives: 0, failedAt: clocks.wall())
  }

  /// The attempt that earlier deaths left no room for was not made.
  func withAttemptsMade(_ entry: InboxEntry) -> InboxEntry {
    var entry = entry
    entry.attempts = min(entry.attempts, retry.maxAttempts)
    return entry
  }

  /// Keeps a dead letter whose event must not get lost. Where one of this record was resolved before (it was parked in
  /// its place, and now its turn has come), that one is open again; where another record has taken its id, it is named by
  /// its place.
  func keep(_ deadLetter: DeadLetter, in transaction: Store.Transaction) throws {
    for name in [deadLetter.eventID, deadLetter.record.nameByPlace] {
      var letter = deadLetter
      letter.eventID = name
      if try store.keep(letter, in: transaction) { return }
      guard let kept = try store.deadLetter(ofEvent: name, in: transaction),
        kept.letter.record.isSame(as: letter.record)
      else { continue }
      guard kept.status == .resolved else { return }
      letter.redrives = kept.letter.redrives + 1
      return try store.renew(kept.id, as: letter, in: transaction)
    }
  }
}

extension ConsumedRecord {
  /// Whether it is the record of the same place, with the same content.
  fileprivate func isSame(as other: ConsumedRecord) -> Bool {
    topicPartition == other.topicPartition && offset == other.offset && key == other.key && value == other.value
  }
}

extension EventFailure {
  init(_ entry: InboxEntry, _ error: any Error) {
    self.init(
      identity: entry.identity, offset: entry.offset, attempts: entry.attempts, error: String(describing: error))
  }
}

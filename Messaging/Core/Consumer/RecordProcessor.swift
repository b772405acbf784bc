import FaultInjection
import WireFormat

/// Deals with records inside a transaction, as the contract's section 5 says. Handled once in effect: the event's row,
/// its effect, its outgoing messages and its cursor stand or fall together, in a savepoint of the record's own.
///
/// Holds nothing of what it has seen: a transaction that is rolled back can be done again.
struct RecordProcessor<Store: InboxStore, Event: Sendable>: Sendable {
  let group: String
  let store: Store
  let retry: RetryPolicy
  let interpret: @Sendable (ConsumedRecord) -> Interpretation<Event>
  let handle: @Sendable (Event, Delivery, Store.Transaction) throws -> Void
  let clocks: Clocks

  /// Undoes a savepoint without being a failure.
  private struct Undo: Error {}

  /// Deals with a batch and writes where to go on. A record that fails stops its partition and no other.
  ///
  /// - Throws: what concerns the whole transaction: nothing of it must be written then.
  func process(_ batch: WorkerBatch, in transaction: Store.Transaction) throws -> WorkerOutcome {
    var outcome = WorkerOutcome()
    var next: [String: [TopicPartition: Int64]] = [:]
    for part in batch.parts {
      var result = WorkerOutcome.Part(partition: part.partition, done: 0, failure: nil)
      for record in part.records {
        let earlier = result.done == 0 ? part.failure : nil
        result.failure = try process(record, earlier: earlier, into: &outcome, in: transaction)
        if result.failure != nil, !Mutation.offsetBeyondFailure.isOn { break }
        result.done += 1
        outcome.counts.consumed += 1
        next[part.cluster, default: [:]][part.partition] = record.offset &+ 1
      }
      outcome.parts.append(result)
    }
    for (cluster, offsets) in next { try store.storeNextOffsets(offsets, cluster: cluster, in: transaction) }
    try Failpoint.workerBeforeCommit.hit()
    return outcome
  }

  /// Deals with one record.
  ///
  /// - Parameter earlier: the failure at which this record stopped its partition before.
  /// - Returns: a failure that is to be tried again; nil when the record is dealt with.
  func process(
    _ record: ConsumedRecord, earlier: EventFailure?, into outcome: inout WorkerOutcome,
    in transaction: Store.Transaction
  ) throws -> EventFailure? {
    switch interpret(record) {
    case .ignored:
      outcome.counts.ignored += 1
      return nil
    case .withoutEffect(let identity) where identity.version == nil:
      outcome.counts.ignored += 1
      return nil
    case .unreadable(let unreadable):
      try giveUp(unreadable, record, into: &outcome, in: transaction)
      return nil
    case .withoutEffect(let identity):
      return try process(identity, nil, record, earlier: earlier, into: &outcome, in: transaction)
    case .event(let identity, let event):
      return try process(identity, event, record, earlier: earlier, into: &outcome, in: transaction)
    }
  }

  // MARK: Rules 3 to 5, for an event that can be read

  private func process(
    _ identity: EventIdentity, _ event: Event?, _ record: ConsumedRecord, earlier: EventFailure?,
    into outcome: inout WorkerOutcome, in transaction: Store.Transaction
  ) throws -> EventFailure? {
    let failures = earlier?.identity.eventID == identity.eventID ? earlier?.attempts ?? 0 : 0
    let entry = entry(of: identity, record, failures: failures)
    do {
      let disposition = try store.savepoint(in: transaction) {
        try settlePlace(of: entry, event, record, in: transaction)
      }
      outcome.counts.add(disposition, hasEffect: event != nil)
      guard disposition == .handle, identity.version != nil else { return nil }
    } catch is Undo {
      outcome.counts.stale += 1
      return nil
    } catch {
      if Mutation.dedupSurvivesFailure.isOn { _ = try store.register(entry, outcome: .processed, in: transaction) }
      if isToRetry(entry, try decision(about: error)) {
        outcome.counts.retries += 1
        return EventFailure(entry, error)
      }
      try store.savepoint(in: transaction) {
        _ = try store.register(entry, outcome: .deadLettered, in: transaction)
        try keep(deadLetter(of: entry, record, error), in: transaction)
      }
      outcome.gaveUp(entry, error)
      return nil
    }
    try processSuccessors(ofKey: identity.key, into: &outcome, in: transaction)
    return nil
  }

  private func settlePlace(
    of entry: InboxEntry, _ event: Event?, _ record: ConsumedRecord, in transaction: Store.Transaction
  ) throws -> RecordDisposition {
    let identity = entry.identity
    let cursor = identity.version == nil ? 0 : try store.cursor(of: identity.key, in: transaction)
    let place = EventPlace(version: identity.version, cursor: cursor)
    let isNew = try store.register(entry, outcome: place == .ahead ? .parked : .processed, in: transaction)
    let disposition = RecordDisposition(place, isNew: isNew)
    switch disposition {
    case .duplicate: break
    case .stale: throw Undo()
    case .park: try store.park(ParkedRecord(identity: identity, record: record), in: transaction)
    case .handle: try run(event, entry, in: transaction)
    }
    return disposition
  }

  /// Handles an event in its place, and moves the cursor to it.
  func run(_ event: Event?, _ entry: InboxEntry, in transaction: Store.Transaction) throws {
    if let event {
      let delivery = Delivery(
        identity: entry.identity, topicPartition: entry.topicPartition, offset: entry.offset, attempt: entry.attempts)
      try Failpoint.workerHandle.hit(entry.identity.eventID)
      try handle(event, delivery, transaction)
      try Failpoint.workerAfterEffect.hit(entry.identity.eventID)
    }
    if let version = entry.identity.version {
      try store.moveCursor(of: entry.identity.key, to: version, in: transaction)
    }
  }

  // MARK: Parked successors

  /// Handles the parked events that follow the cursor of a key, one savepoint each, up to the first that is missing or
  /// fails. That one stays parked, and is found by ``sweep(_:in:)`` when its pause is over.
  func processSuccessors(
    ofKey key: String, into outcome: inout WorkerOutcome, in transaction: Store.Transaction
  ) throws {
    var cursor = try store.cursor(of: key, in: transaction)
    while cursor < .max {
      // Read outside of the savepoint that may undo the taking: the failure has to name it.
      var taken: (entry: InboxEntry, record: ConsumedRecord)?
      do {
        let hasEffect = try store.savepoint(in: transaction) { () -> Bool? in
          guard let parked = try store.takeParked(key: key, version: cursor + 1, in: transaction) else { return nil }
          let entry = entry(of: parked.identity, parked.record, failures: parked.attempts)
          taken = (entry, parked.record)
          let event = try self.event(of: parked)
          try run(event, entry, in: transaction)
          try store.settle(entry, outcome: parked.isDiscarded ? .discarded : .processed, in: transaction)
          return event != nil
        }
        guard let hasEffect else { return }
        outcome.counts.add(.handle, hasEffect: hasEffect)
        cursor += 1
      } catch {
        guard let (entry, record) = taken else { throw error }
        guard isToRetry(entry, try decision(about: error)) else {
          try giveUpParked(entry, record, error, in: transaction)
          return outcome.gaveUp(entry, error)
        }
        let pause = retry.backoff(after: entry)
        try store.postpone(
          entry, until: clocks.wall() + pause, error: String(describing: error), in: transaction)
        return outcome.postponed(EventFailure(entry, error), entry.topicPartition, for: pause)
      }
    }
  }

  /// Handles the parked events of `keys` that have become next and were not handled by whoever made them so: they
  /// failed, or the process died in between. Any member of the group may do it, whoever has the partition.
  func sweep(_ keys: [String], in transaction: Store.Transaction) throws -> WorkerOutcome {
    var outcome = WorkerOutcome()
    for key in keys { try processSuccessors(ofKey: key, into: &outcome, in: transaction) }
    return outcome
  }

  /// The event of a record that could be read when it was parked. This service may have changed since.
  private func event(of parked: ParkedRecord) throws -> Event? {
    guard !parked.isDiscarded else { return nil }
    return switch interpret(parked.record) {
    case .event(_, let event): event
    case .withoutEffect, .ignored: nil
    case .unreadable(let unreadable): throw DeadLetterError(unreadable.reason)
    }
  }

  private func giveUpParked(
    _ entry: InboxEntry, _ record: ConsumedRecord, _ error: any Error, in transaction: Store.Transaction
  ) throws {
    try store.savepoint(in: transaction) {
      _ = try store.takeParked(key: entry.identity.key, version: entry.identity.version ?? 0, in: transaction)
      try store.settle(entry, outcome: .deadLettered, in: transaction)
      try keep(deadLetter(of: entry, record, error), in: transaction)
    }
  }

  // MARK: Failures

  /// What to do about an event that failed.
  ///
  /// - Throws: `error`, where it concerns more than this event.
  private func decision(about error: any Error) throws -> FailureClassification {
    let decision = FailureClassification(error)
    switch decision {
    case .waitForStore, .stop: throw error
    case .retry, .deadLetter: return decision
    }
  }

  private func isToRetry(_ entry: InboxEntry, _ decision: FailureClassification) -> Bool {
    decision == .retry && entry.attempts < retry.maxAttempts
  }

  private func entry(of identity: EventIdentity, _ record: ConsumedRecord, failures: Int) -> InboxEntry {
    InboxEntry(
      identity: identity, topicPartition: record.topicPartition, offset: record.offset, attempts: failures + 1)
  }

  /// Rule 2. Its id may be one that was processed: an event that was changed on its way is a dead letter all the same,
  /// once.
  private func giveUp(
    _ unreadable: UnreadableRecord, _ record: ConsumedRecord, into outcome: inout WorkerOutcome,
    in transaction: Store.Transaction
  ) throws {
    let deadLetter = DeadLetter(
      unreadable: unreadable, record: record, consumerGroup: group, attempts: 1, failedAt: clocks.wall())
    let identity = EventIdentity(
      eventID: deadLetter.eventID, eventType: unreadable.eventType ?? "", key: unreadable.key ?? "",
      version: unreadable.version)
    let entry = entry(of: identity, record, failures: 0)
    let isKept = try store.savepoint(in: transaction) {
      _ = try store.register(entry, outcome: .deadLettered, in: transaction)
      return try store.keep(deadLetter, in: transaction)
    }
    if isKept { outcome.gaveUp(entry, DeadLetterError(unreadable.reason)) } else { outcome.counts.duplicates += 1 }
  }

  private func deadLetter(of entry: InboxEntry, _ record: ConsumedRecord, _ error: any Error) -> DeadLetter {
    DeadLetter(
      consumerGroup: group, eventID: entry.identity.eventID, eventType: entry.identity.eventType,
      key: entry.identity.key, version: entry.identity.version, record: record, error: String(describing: error),
      attempts: entry.attempts, redrives: 0, failedAt: clocks.wall())
  }

  /// Keeps a dead letter whose event must not get lost. Where one of this record was resolved before (it was parked in
  /// its place, and now its turn has come), that one is open again; where another record has taken its id, it is named by
  /// its place.
  private func keep(_ deadLetter: DeadLetter, in transaction: Store.Transaction) throws {
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

extension EventFailure {
  fileprivate init(_ entry: InboxEntry, _ error: any Error) {
    self.init(
      identity: entry.identity, offset: entry.offset, attempts: entry.attempts, error: String(describing: error))
  }
}

extension ConsumerCounts {
  mutating func add(_ disposition: RecordDisposition, hasEffect: Bool) {
    switch disposition {
    case .duplicate: duplicates += 1
    case .stale: stale += 1
    case .park: parked += 1
    case .handle: if hasEffect { handled += 1 } else { withoutEffect += 1 }
    }
  }
}

extension WorkerOutcome {
  fileprivate mutating func postponed(_ failure: EventFailure, _ partition: TopicPartition, for pause: Duration) {
    counts.retries += 1
    postponed.append(PostponedEvent(failure: failure, partition: partition, pause: pause))
  }

  fileprivate mutating func gaveUp(_ entry: InboxEntry, _ error: any Error) {
    counts.deadLettered += 1
    givenUp.append(
      GivenUpEvent(
        eventID: entry.identity.eventID, key: entry.identity.key, partition: entry.topicPartition,
        offset: entry.offset, attempts: entry.attempts, error: String(describing: error)))
  }
}

import FaultInjection
import WireFormat

/// Deals with records inside a transaction, as the contract's section 5 says. Handled once in effect: the event's row,
/// its effect, its outgoing messages and its cursor stand or fall together, in a savepoint of the record's own.
///
/// Holds nothing of what it has seen: a transaction that is rolled back can be done again.
struct RecordProcessor<Store: InboxStore, Event: Sendable>: Sendable {
  let group: String
  let store: Store
  let maxAttempts: Int
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
    let entry = entry(of: identity, record, earlier: earlier)
    do {
      let disposition = try store.savepoint(in: transaction) {
        try settlePlace(of: entry, event, record, in: transaction)
      }
      outcome.counts.add(disposition, hasEffect: event != nil)
      if disposition == .park || (disposition == .duplicate && Mutation.successorsForgotten.isOn) { return nil }
    } catch is Undo {
      outcome.counts.stale += 1
    } catch {
      if Mutation.dedupSurvivesFailure.isOn { _ = try store.register(entry, outcome: .processed, in: transaction) }
      if let failure = try toRetry(entry, error, at: record, into: &outcome) { return failure }
      try store.savepoint(in: transaction) {
        _ = try store.register(entry, outcome: .deadLettered, in: transaction)
        try keep(deadLetter(of: entry, record, error), in: transaction)
      }
      outcome.gaveUp(entry, error)
      return nil
    }
    // Also after a duplicate: its successors may have been stopped by a failure, or by the end of this process.
    return try processSuccessors(of: identity, at: record, earlier: earlier, into: &outcome, in: transaction)
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

  private func run(_ event: Event?, _ entry: InboxEntry, in transaction: Store.Transaction) throws {
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

  /// Handles the parked events that follow the cursor of a key, one savepoint each.
  ///
  /// - Returns: the failure of one of them that is to be tried again. The record that they follow is dealt with, and
  ///   comes again as a duplicate to get here.
  func processSuccessors(
    of identity: EventIdentity, at record: ConsumedRecord, earlier: EventFailure?,
    into outcome: inout WorkerOutcome, in transaction: Store.Transaction
  ) throws -> EventFailure? {
    guard identity.version != nil else { return nil }
    var cursor = try store.cursor(of: identity.key, in: transaction)
    while cursor < .max {
      // Read outside of the savepoint that may undo the taking: the failure has to name it.
      var entry: InboxEntry?
      var parkedRecord: ConsumedRecord?
      do {
        let hasEffect = try store.savepoint(in: transaction) { () -> Bool? in
          guard let parked = try store.takeParked(key: identity.key, version: cursor + 1, in: transaction) else {
            return nil
          }
          let taken = self.entry(of: parked.identity, parked.record, earlier: earlier)
          (entry, parkedRecord) = (taken, parked.record)
          let event = try self.event(of: parked)
          try run(event, taken, in: transaction)
          try store.settle(taken, outcome: .processed, in: transaction)
          return event != nil
        }
        guard let hasEffect else { return nil }
        outcome.counts.add(.handle, hasEffect: hasEffect)
        cursor += 1
      } catch {
        guard let entry, let parkedRecord else { throw error }
        if let failure = try toRetry(entry, error, at: record, into: &outcome) { return failure }
        try giveUpParked(entry, parkedRecord, error, in: transaction)
        outcome.gaveUp(entry, error)
        return nil
      }
    }
    return nil
  }

  /// The event of a record that could be read when it was parked. This service may have changed since.
  private func event(of parked: ParkedRecord) throws -> Event? {
    switch interpret(parked.record) {
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

  /// The failure to come back to, or nil when the event is to be given up.
  ///
  /// - Throws: `error`, where it concerns more than this event.
  private func toRetry(
    _ entry: InboxEntry, _ error: any Error, at record: ConsumedRecord, into outcome: inout WorkerOutcome
  ) throws -> EventFailure? {
    switch FailureClassification(error) {
    case .waitForStore, .stop: throw error
    case .deadLetter: return nil
    case .retry:
      guard entry.attempts < maxAttempts else { return nil }
      outcome.counts.retries += 1
      return EventFailure(
        identity: entry.identity, offset: record.offset, attempts: entry.attempts, error: String(describing: error))
    }
  }

  private func entry(of identity: EventIdentity, _ record: ConsumedRecord, earlier: EventFailure?) -> InboxEntry {
    let failures = earlier?.identity.eventID == identity.eventID ? earlier?.attempts ?? 0 : 0
    return InboxEntry(
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
    let entry = entry(of: identity, record, earlier: nil)
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

  /// Keeps a dead letter whose event must not get lost: where an unreadable record has taken its id, by its place.
  private func keep(_ deadLetter: DeadLetter, in transaction: Store.Transaction) throws {
    if try store.keep(deadLetter, in: transaction) { return }
    var named = deadLetter
    named.eventID = deadLetter.record.nameByPlace
    _ = try store.keep(named, in: transaction)
  }
}

extension ConsumerCounts {
  fileprivate mutating func add(_ disposition: RecordDisposition, hasEffect: Bool) {
    switch disposition {
    case .duplicate: duplicates += 1
    case .stale: stale += 1
    case .park: parked += 1
    case .handle: if hasEffect { handled += 1 } else { withoutEffect += 1 }
    }
  }
}

extension WorkerOutcome {
  fileprivate mutating func gaveUp(_ entry: InboxEntry, _ error: any Error) {
    counts.deadLettered += 1
    givenUp.append(
      GivenUpEvent(
        eventID: entry.identity.eventID, key: entry.identity.key, partition: entry.topicPartition,
        offset: entry.offset, attempts: entry.attempts, error: String(describing: error)))
  }
}

import FaultInjection
import WireFormat

/// Deals with records inside a transaction, as the contract's section 5 says. Handled once in effect: the event's row,
/// its effect, its outgoing messages and its cursor stand or fall together, in a savepoint of the record's own.
///
/// Holds nothing of what it has seen: a transaction that is rolled back can be done again.
struct RecordProcessor<Store: InboxStore, Event: Sendable>: Sendable {
  typealias Round = ProcessingRound<Store.Transaction>

  let group: String
  let store: Store
  let retry: RetryPolicy
  let interpret: @Sendable (ConsumedRecord) -> Interpretation<Event>
  let handle: @Sendable (Event, Delivery, Store.Transaction) throws -> Void
  let clocks: Clocks

  /// Undoes a savepoint without being a failure.
  private struct Undo: Error {}

  func begin(_ transaction: Store.Transaction) throws -> Round {
    Round(transaction, deaths: try store.crashedAttempts(in: transaction))
  }

  /// Deals with a batch and writes where to go on. A record that fails stops its partition and no other.
  ///
  /// - Throws: what concerns the whole transaction: nothing of it must be written then.
  func process(_ batch: WorkerBatch, in transaction: Store.Transaction) throws -> WorkerOutcome {
    var round = try begin(transaction)
    var next: [String: [TopicPartition: Int64]] = [:]
    for part in batch.parts {
      var result = WorkerOutcome.Part(partition: part.partition, done: 0, failure: nil)
      for record in part.records {
        let earlier = result.done == 0 ? part.failure : nil
        result.failure = try process(record, of: part.cluster, earlier: earlier, &round)
        if result.failure != nil, !Mutation.offsetBeyondFailure.isOn { break }
        result.done += 1
        round.outcome.counts.consumed += 1
        next[part.cluster, default: [:]][part.partition] = record.offset &+ 1
      }
      round.outcome.parts.append(result)
    }
    for (cluster, offsets) in next { try store.storeNextOffsets(offsets, cluster: cluster, in: transaction) }
    try Failpoint.workerBeforeCommit.hit()
    return round.outcome
  }

  /// Deals with one record.
  ///
  /// - Parameter earlier: the failure at which this record stopped its partition before.
  /// - Returns: a failure that is to be tried again; nil when the record is dealt with.
  private func process(
    _ record: ConsumedRecord, of cluster: String, earlier: EventFailure?, _ round: inout Round
  ) throws -> EventFailure? {
    let place = HandlingSubject.record(cluster: cluster, record.topicPartition, offset: record.offset)
    let deaths = round.deaths.number(of: place)
    guard deaths < retry.maxAttempts else {
      // It stays counted: nobody must ever try to read these bytes again.
      try giveUp(UnreadableRecord(reason: "the process died while reading it"), record, attempts: deaths, &round)
      return nil
    }
    let interpretation = read(record, as: place)
    try forgetDeaths(of: place, round)
    switch interpretation {
    case .ignored:
      round.outcome.counts.ignored += 1
      return nil
    case .withoutEffect(let identity) where identity.version == nil:
      round.outcome.counts.ignored += 1
      return nil
    case .unreadable(let unreadable):
      try giveUp(unreadable, record, attempts: 1, &round)
      return nil
    case .withoutEffect(let identity):
      return try process(identity, nil, record, earlier: earlier, &round)
    case .event(let identity, let event):
      return try process(identity, event, record, earlier: earlier, &round)
    }
  }

  /// Makes what it can of a record's bytes, which may be the end of this process.
  func read(_ record: ConsumedRecord, as subject: HandlingSubject) -> Interpretation<Event> {
    store.hasAtHand(subject)
    defer { store.hasAtHand(nil) }
    return interpret(record)
  }

  // MARK: Rules 3 to 5, for an event that can be read

  private func process(
    _ identity: EventIdentity, _ event: Event?, _ record: ConsumedRecord, earlier: EventFailure?,
    _ round: inout Round
  ) throws -> EventFailure? {
    let subject = HandlingSubject.event(id: identity.eventID)
    let deaths = round.deaths.number(of: subject)
    let failures = earlier?.identity.eventID == identity.eventID ? earlier?.attempts ?? deaths : deaths
    let entry = entry(of: identity, record, failures: failures)
    do {
      let disposition = try store.savepoint(in: round.transaction) {
        try settlePlace(of: entry, event, record, in: round.transaction)
      }
      round.outcome.counts.add(disposition, hasEffect: event != nil)
      if disposition != .park { try forgetDeaths(of: subject, round) }
      guard disposition == .handle, identity.version != nil else { return nil }
    } catch is Undo {
      round.outcome.counts.stale += 1
      return nil
    } catch {
      if Mutation.dedupSurvivesFailure.isOn {
        _ = try store.register(entry, outcome: .processed, in: round.transaction)
      }
      if isToRetry(entry, try decision(about: error)) {
        round.outcome.counts.retries += 1
        return EventFailure(entry, error)
      }
      try giveUp(entry, record, error, &round)
      return nil
    }
    try processSuccessors(ofKey: identity.key, &round)
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
    case .handle: try run(event, entry, of: record, as: .event(id: identity.eventID), in: transaction)
    }
    return disposition
  }

  /// Handles an event in its place, and moves the cursor to it.
  func run(
    _ event: Event?, _ entry: InboxEntry, of record: ConsumedRecord, as subject: HandlingSubject,
    in transaction: Store.Transaction
  ) throws {
    // One more than are allowed: each of them was the end of a process.
    guard entry.attempts <= retry.maxAttempts else { throw DeadLetterError("the process died while handling it") }
    if let event { try call(event, entry, of: record, as: subject, in: transaction) }
    if let version = entry.identity.version {
      try store.moveCursor(of: entry.identity.key, to: version, in: transaction)
    }
  }

  private func call(
    _ event: Event, _ entry: InboxEntry, of record: ConsumedRecord, as subject: HandlingSubject,
    in transaction: Store.Transaction
  ) throws {
    let delivery = Delivery(
      identity: entry.identity, topicPartition: entry.topicPartition, offset: entry.offset, attempt: entry.attempts,
      trace: record.trace)
    do {
      store.hasAtHand(subject)
      defer { store.hasAtHand(nil) }
      try Failpoint.workerHandle.hit(entry.identity.eventID)
      try handle(event, delivery, transaction)
    }
    try Failpoint.workerAfterEffect.hit(entry.identity.eventID)
  }
}

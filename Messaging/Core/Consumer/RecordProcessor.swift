import FaultInjection
import WireFormat

/// Deals with records inside a transaction, as the contract's section 5 says. Handled once in effect: the event's row,
/// its effect, its outgoing messages and its cursor stand or fall together: what fails is undone, alone.
///
/// Holds nothing of what it has seen: a transaction that is rolled back can be done again. A class for the same reason as
/// ``ProcessingRound``.
final class RecordProcessor<Store: InboxStore, Event: Sendable>: Sendable {
  typealias Round = ProcessingRound<Store.Transaction>

  let group: String
  let retry: RetryPolicy
  let interpret: @Sendable (ConsumedRecord) -> Interpretation<Event>
  let handle: @Sendable (Event, Delivery, Store.Transaction) throws -> Void
  let clocks: Clocks
  let store: Store

  init(
    group: String, store: Store, retry: RetryPolicy,
    interpret: @escaping @Sendable (ConsumedRecord) -> Interpretation<Event>,
    handle: @escaping @Sendable (Event, Delivery, Store.Transaction) throws -> Void, clocks: Clocks
  ) {
    self.group = group
    self.store = store
    self.retry = retry
    self.interpret = interpret
    self.handle = handle
    self.clocks = clocks
  }

  func begin(_ transaction: Store.Transaction, knowing failures: KnownFailures = KnownFailures()) throws -> Round {
    Round(
      transaction, deaths: try store.crashedAttempts(in: transaction),
      hasParked: try store.hasParked(in: transaction), failures: failures)
  }

  /// Deals with a batch and writes where to go on. A record that fails stops its partition and no other.
  ///
  /// - Parameter failures: of the same batch, in a transaction that was undone.
  /// - Throws: what concerns the whole transaction: nothing of it must be written then.
  func process(
    _ batch: WorkerBatch, knowing failures: KnownFailures, in transaction: Store.Transaction
  ) throws -> WorkerOutcome {
    let round = try begin(transaction, knowing: failures)
    var next: [String: [TopicPartition: Int64]] = [:]
    for part in batch.parts {
      let result = try process(part, round)
      if result.done > 0 {
        next[part.cluster, default: [:]][part.partition] = part.records[result.done - 1].offset &+ 1
      }
      round.outcome.counts.consumed += result.done
      round.outcome.parts.append(result)
    }
    for (cluster, offsets) in next { try store.storeNextOffsets(offsets, cluster: cluster, in: transaction) }
    try Failpoint.workerBeforeCommit.hit()
    return round.outcome
  }

  /// Deals with the records of a partition, up to the first that has to be tried again.
  private func process(_ part: WorkerBatch.Part, _ round: Round) throws -> WorkerOutcome.Part {
    var result = WorkerOutcome.Part(partition: part.partition, done: 0, failure: nil)
    for record in part.records {
      let earlier = result.done == 0 ? part.failure : nil
      if let failure = try process(record, of: part.cluster, earlier: earlier, round) {
        result.failure = failure
        guard Mutation.offsetBeyondFailure.isOn else { break }
      }
      result.done += 1
    }
    return result
  }

  /// Deals with one record.
  ///
  /// - Parameter earlier: the failure at which this record stopped its partition before.
  /// - Returns: a failure that is to be tried again; nil when the record is dealt with.
  private func process(
    _ record: ConsumedRecord, of cluster: String, earlier: EventFailure?, _ round: Round
  ) throws -> EventFailure? {
    let place = HandlingSubject.record(cluster: cluster, record.topicPartition, offset: record.offset)
    let deaths = round.deaths.number(of: place)
    guard deaths < retry.maxAttempts else {
      // It stays counted: nobody must ever try to read these bytes again.
      try giveUp(UnreadableRecord(reason: "the process died while reading it"), record, attempts: deaths, round)
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
      try giveUp(unreadable, record, attempts: 1, round)
      return nil
    case .withoutEffect(let identity):
      return try process(identity, nil, record, earlier: earlier, round)
    case .event(let identity, let event):
      return try process(identity, event, record, earlier: earlier, round)
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
    _ identity: EventIdentity, _ event: Event?, _ record: ConsumedRecord, earlier: EventFailure?, _ round: Round
  ) throws -> EventFailure? {
    let subject = HandlingSubject.event(id: identity.eventID)
    let deaths = round.deaths.number(of: subject)
    let failures = earlier?.identity.eventID == identity.eventID ? earlier?.attempts ?? deaths : deaths
    let entry = entry(of: identity, record, failures: failures)
    let disposition: RecordDisposition
    do {
      disposition = try store.savepoint(in: round.transaction) { try settlePlace(of: entry, event, record, round) }
    } catch {
      return try settleFailure(of: entry, record, error, round)
    }
    round.outcome.counts.add(disposition, hasEffect: event != nil)
    if disposition != .park { try forgetDeaths(of: subject, round) }
    if disposition == .handle, let version = identity.version {
      try processSuccessors(ofKey: identity.key, after: version, round)
    }
    return nil
  }

  /// Claims an event, and handles, parks or drops it by its place: in the order that needs the fewest statements for a new
  /// one that is the next of its key.
  private func settlePlace(
    of entry: InboxEntry, _ event: Event?, _ record: ConsumedRecord, _ round: Round
  ) throws -> RecordDisposition {
    let identity = entry.identity
    let transaction = round.transaction
    guard try store.register(entry, outcome: .processed, in: transaction) else { return .duplicate }
    switch try takePlace(of: identity, in: transaction) {
    case .stale:
      // An event that comes too late leaves no row: only those that took their place have one.
      try store.unregister(identity.eventID, in: transaction)
      return .stale
    case .ahead:
      try store.settle(entry, outcome: .parked, in: transaction)
      try park(ParkedRecord(identity: identity, record: record), round)
      return .park
    case .next, .unordered:
      try run(event, entry, of: record, as: .event(id: identity.eventID), round)
      return .handle
    }
  }

  /// Where an event stands among those of its key. If it is the next, the cursor moves to it.
  private func takePlace(of identity: EventIdentity, in transaction: Store.Transaction) throws -> EventPlace {
    guard let version = identity.version else { return .unordered }
    if try store.advanceCursor(of: identity.key, to: version, in: transaction) { return .next }
    // What is still the next here was made so by a mutation.
    let place = EventPlace(version: version, cursor: try store.cursor(of: identity.key, in: transaction))
    if place == .next { try moveCursor(to: identity, in: transaction) }
    return place
  }

  /// Has an event handled in its place.
  func run(
    _ event: Event?, _ entry: InboxEntry, of record: ConsumedRecord, as subject: HandlingSubject, _ round: Round
  ) throws {
    // One more than are allowed: each of them was the end of a process.
    guard entry.attempts <= retry.maxAttempts else { throw DeadLetterError("the process died while handling it") }
    guard let event else { return }
    try round.failures.once(entry) { try call(event, entry, of: record, as: subject, in: round.transaction) }
  }

  func moveCursor(to identity: EventIdentity, in transaction: Store.Transaction) throws {
    guard let version = identity.version else { return }
    try store.moveCursor(of: identity.key, to: version, in: transaction)
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

/// One transaction of a consumer: what it goes by, and what comes of it.
///
/// A class, since its layout depends on `Transaction`: of a structure the runtime would have to be asked for it by each
/// function that an event passes.
final class ProcessingRound<Transaction> {
  /// Of this group, when the transaction began.
  let deaths: CrashedAttempts
  /// Whether the group may have anything parked, under whatever key. The transaction holds the store's write lock: what
  /// is parked was so when it began, or is parked by itself.
  var hasParked: Bool
  let failures: KnownFailures
  var outcome = WorkerOutcome()
  let transaction: Transaction

  init(_ transaction: Transaction, deaths: CrashedAttempts, hasParked: Bool, failures: KnownFailures) {
    self.transaction = transaction
    self.deaths = deaths
    self.hasParked = hasParked
    self.failures = failures
  }
}

extension WorkerOutcome {
  mutating func postponed(_ failure: EventFailure, _ partition: TopicPartition, for pause: Duration) {
    counts.retries += 1
    postponed.append(PostponedEvent(failure: failure, partition: partition, pause: pause))
  }

  mutating func gaveUp(_ entry: InboxEntry, _ error: any Error) {
    counts.deadLettered += 1
    givenUp.append(
      GivenUpEvent(
        eventID: entry.identity.eventID, key: entry.identity.key, partition: entry.topicPartition,
        offset: entry.offset, attempts: entry.attempts, error: String(describing: error)))
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

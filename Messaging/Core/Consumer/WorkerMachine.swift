/// Decides what a consumer worker does next. A value: it is told what happened and when, and says what to do; it never
/// waits, reads a clock or touches a store.
struct WorkerMachine: Sendable {
  enum Input: Sendable {
    /// A poll returned.
    case polled([ConsumedRecord])
    /// The batch's transaction is committed.
    case committed(WorkerOutcome)
    /// The batch's transaction was not committed: nothing of it is written.
    case notCommitted(reason: String)
  }

  enum Action: Sendable {
    case transact(WorkerBatch)
    case store(next: [TopicPartition: Int64])
    case pause(Set<TopicPartition>)
    case resume(Set<TopicPartition>)
    case notify(WorkerNotice)
  }

  /// A partition that this member has.
  private struct Lane {
    var cluster: String
    var queue = Queue<ConsumedRecord>()
    var failure: EventFailure?
    var retryAt: Duration?
    var isPaused = false
  }

  private let configuration: ConsumerWorkerConfiguration
  private let retry: RetryPolicy
  private var random: SeededRandom
  private var lanes: [TopicPartition: Lane] = [:]
  private var isTransacting = false
  private var storeRetryAt: Duration?
  /// When parked records that have become next are looked for.
  private var nextSweep: Duration = .zero
  private var storeFailures = 0
  /// Others may have died with something at hand: looked for before anything is handled.
  private var isCollectionDue = true
  private var hasCollectionFailed = false
  private var givenUpLog = NoticeThrottle()
  private var retryLog = NoticeThrottle()
  private(set) var storeTrouble: String?
  private(set) var counts = ConsumerCounts()
  private(set) var queued = 0

  init(configuration: ConsumerWorkerConfiguration, retry: RetryPolicy) {
    self.configuration = configuration
    self.retry = retry
    random = configuration.seed.map(SeededRandom.init(seed:)) ?? SeededRandom()
  }

  // MARK: Partitions come and go

  mutating func assigned(
    _ partitions: [TopicPartition: CommittedState], stored: [String: [TopicPartition: Int64]?]
  ) -> [TopicPartition: StartDecision] {
    var decisions: [TopicPartition: StartDecision] = [:]
    // Whoever had them may have died of them.
    isCollectionDue = isCollectionDue || !partitions.isEmpty
    for (partition, state) in partitions {
      drop(partition)
      lanes[partition] = Lane(cluster: state.clusterID)
      if case .some(.some(let offsets)) = stored[state.clusterID] {
        decisions[partition] = StartDecision(stored: offsets[partition], state: state)
      } else {
        decisions[partition] = .storeUnreadable
      }
    }
    return decisions
  }

  /// What was not begun is dropped: the partition's next owner reads it.
  mutating func revoked(_ partitions: Set<TopicPartition>) {
    for partition in partitions { drop(partition) }
  }

  /// The consumer is gone, and its assignment with it.
  mutating func revokedEverything() {
    revoked(Set(lanes.keys))
  }

  private mutating func drop(_ partition: TopicPartition) {
    queued -= lanes.removeValue(forKey: partition)?.queue.count ?? 0
    guard queued == 0 else { return }
    // Nothing waits for the store any more, so nothing would ask it again: the next records have to.
    storeRetryAt = nil
    storeTrouble = nil
  }

  // MARK: Records

  mutating func handle(_ input: Input, at now: Duration) -> [Action] {
    var actions: [Action] = []
    switch input {
    case .polled(let records): enqueue(records)
    case .committed(let outcome): actions = committed(outcome, at: now)
    case .notCommitted(let reason): actions = notCommitted(reason, at: now)
    }
    actions += pauses() + summaries(at: now)
    if case .polled = input, let batch = nextBatch(at: now) { actions.append(.transact(batch)) }
    return actions
  }

  /// Records that came while a batch's transaction was on its way: they are for the next one.
  mutating func fetched(_ records: [ConsumedRecord]) {
    enqueue(records)
  }

  /// How many records the next batch lacks to be a full one. What waits for a retry is not for it.
  ///
  /// - Parameter batch: what is being dealt with, counted as if all of it were.
  func lack(at now: Duration, after batch: WorkerBatch? = nil) -> Int {
    let ready = ready(at: now).reduce(0) { $0 + $1.value.queue.count } - (batch?.count ?? 0)
    return max(0, configuration.maximumBatch - ready)
  }

  private func ready(at now: Duration) -> [TopicPartition: Lane] {
    lanes.filter { !$0.value.queue.isEmpty && $0.value.retryAt ?? now <= now }
  }

  private mutating func enqueue(_ records: [ConsumedRecord]) {
    var rest = records[...]
    while let partition = rest.first?.topicPartition {
      let run = rest.prefix { $0.topicPartition == partition }
      lanes[partition, default: Lane(cluster: "")].queue.append(contentsOf: run)
      rest = rest.dropFirst(run.count)
    }
    queued += records.count
  }

  /// The next records of every partition that does not wait for something. Each has its fair share; what it leaves of
  /// that is for those that have more.
  private mutating func nextBatch(at now: Duration) -> WorkerBatch? {
    guard !isTransacting, !isCollectionDue, storeRetryAt ?? now <= now else { return nil }
    let ready = ready(at: now).sorted { ($0.value.queue.count, $0.key) < ($1.value.queue.count, $1.key) }
    guard !ready.isEmpty else { return nil }
    isTransacting = true
    var room = configuration.maximumBatch
    let parts = ready.enumerated().map { index, lane in
      let share = max(1, room / (ready.count - index))
      let records = Array(lane.value.queue.prefix(share))
      room -= records.count
      return WorkerBatch.Part(
        partition: lane.key, cluster: lane.value.cluster, records: records, failure: lane.value.failure)
    }
    return WorkerBatch(parts: parts.sorted { $0.partition < $1.partition })
  }

  private mutating func committed(_ outcome: WorkerOutcome, at now: Duration) -> [Action] {
    isTransacting = false
    var actions = storeAnswered()
    var next: [TopicPartition: Int64] = [:]
    for part in outcome.parts {
      // Gone meanwhile: not possible while rebalances are served by the thread that transacts, and harmless.
      guard var lane = lanes.removeValue(forKey: part.partition) else { continue }
      if part.done > 0, let last = lane.queue.prefix(part.done).last { next[part.partition] = last.offset &+ 1 }
      queued -= min(part.done, lane.queue.count)
      lane.queue.removeFirst(part.done)
      lane.failure = part.failure
      lane.retryAt = part.failure.map { now + retry.backoff(afterAttempt: $0.attempts, using: &random) }
      lanes[part.partition] = lane
      if let failure = part.failure { actions += retries(failure, part.partition, at: now) }
    }
    actions += account(for: outcome, at: now)
    if !next.isEmpty { actions.insert(.store(next: next), at: 0) }
    return actions
  }

  private mutating func account(for outcome: WorkerOutcome, at now: Duration) -> [Action] {
    counts += outcome.counts
    for event in outcome.postponed { nextSweep = min(nextSweep, now + event.pause) }
    return outcome.postponed.flatMap { retries($0.failure, $0.partition, at: now) }
      + outcome.givenUp.flatMap { givenUpLog.admits(at: now) ? [.notify(.gaveUp($0))] : [] }
  }

  private mutating func retries(
    _ failure: EventFailure, _ partition: TopicPartition, at now: Duration
  ) -> [Action] {
    retryLog.admits(at: now) ? [.notify(.retries(failure, partition))] : []
  }

  /// What was left out of the log, when it is time to say so.
  private mutating func summaries(at now: Duration) -> [Action] {
    var actions: [Action] = []
    if let number = retryLog.summary(at: now) { actions.append(.notify(.retriesMore(number))) }
    if let number = givenUpLog.summary(at: now) { actions.append(.notify(.gaveUpMore(number))) }
    return actions
  }

  /// Everything stays as it was, and is tried again after a pause.
  private mutating func notCommitted(_ reason: String, at now: Duration) -> [Action] {
    isTransacting = false
    storeFailures += 1
    let half = retry.ceiling(afterAttempt: storeFailures) / 2
    storeRetryAt = now + half + retry.backoff(afterAttempt: storeFailures, using: &random) / 2
    guard storeTrouble != reason else { return [] }
    storeTrouble = reason
    return [.notify(.storeUnavailable(reason))]
  }

  private mutating func storeAnswered() -> [Action] {
    storeFailures = 0
    storeRetryAt = nil
    guard storeTrouble != nil else { return [] }
    storeTrouble = nil
    return [.notify(.storeAvailable)]
  }

  /// Stops fetching for partitions whose records would only pile up, and starts it again for the others.
  private mutating func pauses() -> [Action] {
    var toPause: Set<TopicPartition> = []
    var toResume: Set<TopicPartition> = []
    for (partition, lane) in lanes {
      let isWaiting = lane.failure != nil || storeRetryAt != nil
      let isPaused = isWaiting || (queued >= configuration.maximumQueued && !lane.queue.isEmpty)
      guard isPaused != lane.isPaused else { continue }
      lanes[partition]?.isPaused = isPaused
      if isPaused { toPause.insert(partition) } else { toResume.insert(partition) }
    }
    return (toPause.isEmpty ? [] : [.pause(toPause)]) + (toResume.isEmpty ? [] : [.resume(toResume)])
  }

  // MARK: Parked records

  /// Whether parked records that have become next are to be looked for now. Not while the store is waited for: a batch
  /// asks it first.
  func isSweepDue(at now: Duration) -> Bool {
    now >= nextSweep && storeRetryAt == nil && !isCollectionDue
  }

  /// Whether deaths are to be counted now. Nothing is handled before that is done.
  mutating func takesCollection(at now: Duration) -> Bool {
    guard storeRetryAt ?? now <= now else { return false }
    isCollectionDue = isCollectionDue || now >= nextSweep
    return isCollectionDue
  }

  mutating func collected() -> [Action] {
    isCollectionDue = false
    guard hasCollectionFailed else { return [] }
    hasCollectionFailed = false
    return storeAnswered()
  }

  /// The store did not answer: nothing is counted yet, and everything waits.
  mutating func collectionFailed(_ reason: String, at now: Duration) -> [Action] {
    hasCollectionFailed = true
    return notCommitted(reason, at: now)
  }

  /// A sweep has come to its end.
  ///
  /// - Parameter pause: until the next one has something to do; nil where it knows of nothing.
  mutating func swept(_ outcome: WorkerOutcome, nextIn pause: Duration?, at now: Duration) -> [Action] {
    nextSweep = now + min(max(.zero, pause ?? configuration.sweepInterval), configuration.sweepInterval)
    return account(for: outcome, at: now)
  }

  /// Something was done beside the worker: a redrive, a discard.
  mutating func handledBeside(_ outcome: WorkerOutcome, at now: Duration) -> [Action] {
    account(for: outcome, at: now)
  }

  /// How long a poll may wait: not at all while there is something to do, and not beyond the next retry.
  func pollTimeout(at now: Duration) -> Duration {
    var next = now + configuration.pollTimeout
    for lane in lanes.values where !lane.queue.isEmpty {
      next = min(next, max(lane.retryAt ?? now, storeRetryAt ?? now))
    }
    if storeRetryAt == nil { next = min(next, nextSweep) }
    if isCollectionDue { next = min(next, storeRetryAt ?? now) }
    return max(.zero, next - now)
  }

  /// Whether an event waits for its next attempt.
  func isBackingOff(at now: Duration) -> Bool {
    lanes.values.contains { $0.retryAt.map { $0 > now } ?? false }
  }

  var backoffs: [ConsumerWorkerStatus.Backoff] {
    lanes.sorted { $0.key < $1.key }.compactMap { partition, lane in
      lane.failure.map {
        ConsumerWorkerStatus.Backoff(
          partition: partition, offset: $0.offset, eventID: $0.identity.eventID, attempts: $0.attempts, error: $0.error)
      }
    }
  }
}

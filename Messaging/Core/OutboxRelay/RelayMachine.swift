/// Decides what an outbox relay does next. A value: it is told what happened and when, and says what to do; it never
/// waits, reads a clock or touches a store.
///
/// It asks for one thing at a time and decides again after the answer, the most urgent first: to keep the lease, to
/// know the broker, to send, to read, to mark; of a backlog, and at the end, to mark before it reads.
struct RelayMachine: Sendable {
  enum Phase: Sendable, Hashable {
    case withoutLease
    /// Has the lease; the broker has not been compared with what the store remembers of it.
    case comparing
    case publishing
    /// Takes nothing new; waits for what is in flight.
    case stopping
    case stopped
  }

  let configuration: OutboxRelayConfiguration
  var random: SeededRandom
  var phase = Phase.withoutLease

  // The lease.
  var lease: RelayLease?
  var leaseEnds: Duration = .zero
  var nextLeaseCall: Duration = .zero
  var leaseFailures = 0
  /// When another relay was found to have the lease.
  var heldElsewhereAt: Duration?

  // The broker.
  var inspection: BrokerInspection?
  var nextInspection: Duration = .zero
  var inspectionFailures = 0
  /// A report that only a broker without its data can have given: nothing is marked until that is settled.
  var evidence: String?
  /// Where partitions ended when they were looked at last; a log never becomes shorter.
  var knownEnds: [TopicPartition: Int64] = [:]
  var hasInspectedThisTurn = false
  var epochReason = ""
  /// How many rows this relay has made unpublished again in the epoch that is not ready.
  var epochRows = 0
  var highestAcknowledged: [TopicPartition: Int64] = [:]
  var partitionCounts: [String: Int] = [:]

  // The producer.
  var producerTrouble: BrokerError?
  var nextProducerCall: Duration = .zero
  var producerFailures = 0
  var isProducerFull = false
  /// The topics that it has been told of.
  var preparedTopics: [String] = []

  // The rows.
  var window = RelayWindow()
  var gates: PartitionGates
  var skipped = SkippedLanes()
  /// Acknowledged, and not known to be marked in the store.
  var unmarked = Queue<PublicationReceipt>()
  /// The lease with which marks are on their way: the first of `unmarked`. While they are, further ones gather behind.
  var marking: RelayLease?
  var nextMark: Duration = .zero
  var markFailures = 0
  /// Reading has come to here.
  var readAfter: Int64 = 0
  /// No row beyond this has been in memory.
  var highestTaken: Int64 = 0
  var mayHaveMore = true
  /// A row was refused for lack of room, and nothing has left since.
  var isWindowFull = false
  var nextRead: Duration = .zero
  var sweepAfter: Int64 = 0
  var isSweepDue = false
  var nextSlowPoll: Duration = .zero
  var nextCommittedCall: Duration = .zero
  var committedCalls: [(group: String, partitions: [TopicPartition])] = []
  var committedAnswers: [TopicPartition: [Int64]] = [:]

  var stopsAt: Duration?
  var notices = RelayNotices()
  var observed = RelayObservations()

  init(configuration: OutboxRelayConfiguration) {
    self.configuration = configuration
    random = configuration.seed.map(SeededRandom.init(seed:)) ?? SeededRandom()
    gates = PartitionGates(
      stuckAfter: configuration.stuckAfter, stuckBudget: configuration.maximumRows / 4,
      maxUnconsumedBytes: configuration.maxUnconsumedBytesPerPartition,
      limitedTopics: Set(configuration.consumerGroups.keys))
  }

  /// Takes in what happened at `now` and says what to do: any number of notices, and at most one thing that has an
  /// answer. With none, the relay waits for reports, a wake or ``deadline(at:)``.
  mutating func handle(_ input: RelayInput, at now: Duration) -> [RelayAction] {
    take(input, at: now)
    let action = nextAction(at: now)
    return notices.take().map(RelayAction.notify) + (action.map { [$0] } ?? [])
  }

  private mutating func take(_ input: RelayInput, at now: Duration) {
    switch input {
    case .turn(let wake, let reports):
      for answer in wake.marked { marked(answer, at: now) }
      takeReports(reports, at: now)
      turn(wake, at: now)
    case .leaseAnswer(let answer): leaseAnswered(answer, at: now)
    case .renewed(let answer): renewed(answer, at: now)
    case .released: phase = .stopped
    case .publicationState(let answer): inspected(answer, at: now) { $0.state = $1 }
    case .clusterID(let answer): inspected(answer, at: now) { $0.clusterID = $1 }
    case .topics(let answer): inspected(answer, at: now) { $0.topics = $1 }
    case .watermarks(let partition, let answer):
      inspected(answer, at: now) { $0.answered(partition, end: $1.end) }
    case .bound(let answer):
      inspected(answer, at: now) { inspection, _ in inspection.state?.clusterID = inspection.clusterID }
    case .epochBegun(let answer): epochBegun(answer, at: now)
    case .epochContinued(let answer): epochContinued(answer, at: now)
    case .committed(let group, let answer): committedAnswered(group, answer, at: now)
    case .rows(let answer, let limit, let read): takeRows(answer, limit: limit, read, at: now)
    case .sent(let answer, let tokens): sent(answer, tokens: tokens, at: now)
    case .marking: break
    case .marked(let answer): marked(answer, at: now)
    case .producerReplaced(let answer): producerReplaced(answer, at: now)
    case .producerPrepared: preparedTopics = topicsThere
    }
  }

  private mutating func turn(_ wake: RelayWake, at now: Duration) {
    isProducerFull = false
    hasInspectedThisTurn = false
    if wake.rowsAppended {
      mayHaveMore = true
      askForLeaseSoon()
    }
    if wake.rescan { rescan() }
    if now >= nextSlowPoll {
      nextSlowPoll = now + configuration.slowPoll
      mayHaveMore = true
      isWindowFull = false
      isSweepDue = true
    }
    window.retryDue(at: now)
    if let sequence = skipped.due(at: now) { rewind(to: sequence) }
    if let sequence = gates.review(at: now) { rewind(to: sequence) }
    if wake.stop || wake.abort { stop(at: now, atOnce: wake.abort) }
  }

  private mutating func stop(at now: Duration, atOnce: Bool) {
    if phase != .stopping, phase != .stopped {
      notices.add(.stopping(inFlight: window.inFlightCount))
      phase = lease == nil ? .stopped : .stopping
      stopsAt = now + configuration.drainTimeout
    }
    if atOnce { stopsAt = min(stopsAt ?? now, now) }
  }

  private mutating func nextAction(at now: Duration) -> RelayAction? {
    if phase == .stopped { return .finish }
    return keepLease(at: now) ?? mendProducer(at: now) ?? inspect(at: now) ?? prepareProducer() ?? publish(at: now)
  }

  /// When the relay has to be called again even if nothing happens.
  func deadline(at now: Duration) -> Duration {
    var deadlines = [nextLeaseCall]
    if let stopsAt { deadlines.append(stopsAt) }
    if lease != nil {
      deadlines.append(leaseEnds)
      if mayMark { deadlines.append(markDeadline(at: now)) }
      if phase != .stopping { deadlines.append(contentsOf: workDeadlines(at: now)) }
    }
    return deadlines.min() ?? now
  }

  private func workDeadlines(at now: Duration) -> [Duration] {
    guard phase == .publishing else { return [nextInspection] }
    var deadlines = [nextInspection, nextSlowPoll]
    if let retry = window.nextRetry { deadlines.append(retry) }
    if let retry = skipped.nextRetry { deadlines.append(retry) }
    if followsConsumers { deadlines.append(nextCommittedCall) }
    if producerTrouble != nil {
      deadlines.append(nextProducerCall)
    } else if isProducerFull {
      deadlines.append(now + .milliseconds(50))
    } else if mayHaveMore, hasRoom {
      deadlines.append(nextRead)
    }
    return deadlines
  }

  /// The pause after the given number of failures in a row.
  mutating func backoff(_ failures: Int) -> Duration {
    // Half of the ceiling at least: a relay that found its broker away has nothing to gain from asking at once again.
    let half = configuration.retry.ceiling(afterAttempt: failures) / 2
    return half + configuration.retry.backoff(afterAttempt: failures, using: &random) / 2
  }
}

/// Knowing the broker: is it the one that the store remembers, with everything on it? And a producer that works.
extension RelayMachine {
  private static let patienceWithTopics = 5

  mutating func mendProducer(at now: Duration) -> RelayAction? {
    guard producerTrouble != nil, phase != .stopping, now >= nextProducerCall else { return nil }
    return .replaceProducer
  }

  mutating func producerBroke(_ error: BrokerError, at now: Duration) {
    if producerTrouble == nil { notices.add(.producerBroken(error)) }
    producerTrouble = error
    nextProducerCall = now
    // What was out may have arrived or not: it is read and sent again, and copies follow at most.
    forgetRows()
  }

  mutating func producerReplaced(_ answer: Result<Void, BrokerError>, at now: Duration) {
    switch answer {
    case .success:
      producerTrouble = nil
      producerFailures = 0
      preparedTopics = []
    case .failure(let error):
      producerTrouble = error
      producerFailures += 1
      nextProducerCall = now + backoff(producerFailures)
    }
  }

  /// Of the topics that will be published to, those that were there when the broker was looked at last.
  var topicsThere: [String] { configuration.topics.filter { partitionCounts[$0] != nil } }

  /// They are on their way: somebody makes them when the services start.
  private var areTopicsMissing: Bool { topicsThere.count < configuration.topics.count }

  func prepareProducer() -> RelayAction? {
    guard phase == .publishing, producerTrouble == nil, preparedTopics.count < configuration.topics.count else {
      return nil
    }
    let topics = topicsThere
    return topics == preparedTopics ? nil : .prepareProducer(topics: topics)
  }

  mutating func inspect(at now: Duration) -> RelayAction? {
    guard phase != .stopping, let lease, now >= nextInspection else { return nil }
    if phase == .publishing, evidence == nil {
      // Nothing is wrong as far as we know: a question a round, so that no row waits for all of them.
      guard !hasInspectedThisTurn else { return nil }
      hasInspectedThisTurn = true
    }
    let inspection =
      inspection
      ?? BrokerInspection(
        alsoAcknowledged: highestAcknowledged, knownEnds: knownEnds, evidence: evidence,
        givesUpOnTopics: inspectionFailures >= Self.patienceWithTopics)
    self.inspection = inspection
    switch inspection.nextStep {
    case .readPublicationState: return .readPublicationState
    case .continueEpoch:
      phase = .comparing
      // A step a round: there may be millions of rows, and somebody may want the relay to stop.
      guard !hasInspectedThisTurn else { return nil }
      hasInspectedThisTurn = true
      return .continueEpoch(lease, limit: configuration.epochStepSize)
    case .askClusterID: return .askClusterID
    case .bind(let cluster): return .bind(cluster: cluster, lease)
    case .askTopics: return .askTopics
    case .askWatermarks(let partition): return .askWatermarks(partition)
    case .beginEpoch(let cluster, let reason):
      epochReason = reason
      return .beginEpoch(cluster: cluster, lease)
    case .waitForTopic(let partition):
      brokerFailed(
        BrokerError(kind: .retriable, name: "UNKNOWN_TOPIC_OR_PART", detail: "\(partition) is not there"), at: now)
      return nil
    case .done(let cluster):
      finishInspection(inspection, cluster: cluster, at: now)
      return nil
    }
  }

  private mutating func finishInspection(_ inspection: BrokerInspection, cluster: String, at now: Duration) {
    highestAcknowledged.merge(inspection.highestAcknowledged) { max($0, $1) }
    changePartitionCounts(to: inspection.topics ?? [:])
    notices.brokerWorks(cluster: cluster)
    self.inspection = nil
    inspectionFailures = 0
    evidence = nil
    knownEnds = inspection.ends
    nextInspection = now + (areTopicsMissing ? .seconds(5) : configuration.inspectionInterval)
    if phase == .comparing {
      phase = .publishing
      for (partition, highest) in highestAcknowledged { gates.takeOver(partition, publishedUpTo: highest) }
      rescan()
    }
  }

  /// Rows of a key may belong to another gate now: whatever was skipped is read again first.
  private mutating func changePartitionCounts(to counts: [String: Int]) {
    guard counts != partitionCounts else { return }
    partitionCounts = counts
    rescan()
  }

  mutating func inspected<Answer>(
    _ answer: Result<Answer, StoreFailure>, at now: Duration, _ take: (inout BrokerInspection, Answer) -> Void
  ) {
    switch answer {
    case .success(let value): inspection.change { take(&$0, value) }
    case .failure(let failure): storeFailedInspection(failure, at: now)
    }
  }

  mutating func inspected<Answer>(
    _ answer: Result<Answer, BrokerError>, at now: Duration, _ take: (inout BrokerInspection, Answer) -> Void
  ) {
    switch answer {
    case .success(let value): inspection.change { take(&$0, value) }
    case .failure(let error): brokerFailed(error, at: now)
    }
  }

  private mutating func storeFailedInspection(_ failure: StoreFailure, at now: Duration) {
    if failure == .leaseLost { return loseLease(reason: "another relay has it", at: now) }
    notices.storeFails(failure)
    repeatInspection(at: now)
  }

  private mutating func brokerFailed(_ error: BrokerError, at now: Duration) {
    notices.brokerFails(error)
    repeatInspection(at: now)
  }

  private mutating func repeatInspection(at now: Duration) {
    inspection = nil
    inspectionFailures += 1
    nextInspection = now + backoff(inspectionFailures)
  }

  mutating func epochBegun(_ answer: Result<RelayLease, StoreFailure>, at now: Duration) {
    guard case .success(let epoch) = answer else {
      if case .failure(let failure) = answer { storeFailedInspection(failure, at: now) }
      return
    }
    notices.add(.epochBegun(epoch, reason: epochReason))
    lease = epoch
    phase = .comparing
    epochRows = 0
    inspection = nil
    knownEnds = [:]
    nextInspection = now
    highestAcknowledged = [:]
    forgetReceipts()
    evidence = nil
    gates.forgetEverything()
    // What is out was on its way to the broker of before: it must not arrive ahead of what comes again.
    producerTrouble = BrokerError(kind: .fatal, name: "EPOCH", detail: epochReason)
    nextProducerCall = now
    forgetRows()
  }

  mutating func epochContinued(_ answer: Result<EpochStep, StoreFailure>, at now: Duration) {
    inspected(answer, at: now) { inspection, step in inspection.state?.isEpochReady = step.isReady }
    guard case .success(let step) = answer else { return }
    epochRows += step.rows
    guard step.isReady else { return }
    notices.add(.epochReady(rows: epochRows))
    epochRows = 0
  }

  /// An idempotent producer is answered in the order of the log: an offset at or below an earlier one means that the
  /// log began anew. Looking at the log's end proves nothing by then, it may have grown beyond.
  mutating func suspect(_ evidence: String, at now: Duration) {
    self.evidence = self.evidence ?? evidence
    inspection = nil
    nextInspection = min(nextInspection, now)
  }
}

extension Optional {
  /// Changes what is there, if something is.
  fileprivate mutating func change(_ body: (inout Wrapped) -> Void) {
    guard var value = self else { return }
    body(&value)
    self = value
  }
}

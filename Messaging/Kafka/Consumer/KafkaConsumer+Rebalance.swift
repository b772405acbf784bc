internal import CRDKafka
import FaultInjection
import Logging
import Messaging
import Metrics

/// Rebalances, answered on the polling thread, for the eager and the cooperative protocol.
extension KafkaConsumer {
  /// Answers what is pending, in order. An assignment needs the broker (committed offsets, where the logs begin and
  /// end); while that is away it stays pending, and the member in its group, and the next poll tries again.
  func answerRebalances(_ client: Client) {
    while let event = pendingRebalances.first {
      if event.errorCode == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
        guard ContinuousClock.now >= nextRebalanceAttempt, acceptAssignment(event, client) else { return }
      } else {
        giveUp(event, client)
      }
      pendingRebalances.removeFirst()
    }
  }

  /// - Returns: false when it has to be tried again.
  private func acceptAssignment(_ event: QueueEvent, _ client: Client) -> Bool {
    let partitions = event.partitions.map(\.partition)
    let states: [TopicPartition: CommittedState]
    do {
      states = try client.committedStates(of: partitions, logger: logger)
    } catch {
      logger.warning(
        "The assignment waits: the broker does not say where its partitions stand", metadata: ["error": "\(error)"])
      membership.withLock { $0.brokerTrouble = "\(error)" }
      nextRebalanceAttempt = .now + .milliseconds(250)
      return false
    }
    if !client.isCooperative { forgetAssignment() }
    let wanted = listener.assigned(states)
    let starts = states.map { partition, state in
      (partition, startPosition(of: partition, wanted: wanted[partition], state: state))
    }
    let offsets = Dictionary(uniqueKeysWithValues: starts)
    Failpoint.consumerAssigning.pass()
    if let error = client.assign(offsets) {
      logger.error("The assignment was refused", metadata: ["error": "\(error)"])
    }
    Counter(label: KafkaMetric.rebalances, dimensions: [("group", group)]).increment()
    logger.info("Partitions were assigned", metadata: ["partitions": .string(Self.list(partitions))])
    membership.withLock { membership in
      membership.assign(
        states.reduce(into: [:]) { result, entry in
          result[entry.key] = GroupMembership.Partition(
            position: offsets[entry.key], committed: entry.value.committed, logEnd: entry.value.logEnd)
        }, memberID: client.memberID)
      membership.brokerTrouble = nil
    }
    return true
  }

  /// The eager protocol hands out everything anew. What is still held then was lost while its assignment waited for the
  /// broker, and nobody has said so.
  private func forgetAssignment() {
    let stale = membership.withLock { Set(($0.partitions ?? [:]).keys) }
    guard !stale.isEmpty else { return }
    listener.revoked(stale, lost: true)
    membership.withLock { $0.revoke(stale) }
  }

  private func startPosition(of partition: TopicPartition, wanted: StartOffset?, state: CommittedState) -> Int64 {
    let start = StartPosition(wanted: wanted, in: state)
    guard let strangeness = start.strangeness else { return start.offset }
    let reason = strangeness == .beyondEnd ? "beyond_end" : "before_start"
    Counter(label: KafkaMetric.offsetResets, dimensions: [("reason", reason)]).increment()
    logger.warning(
      "The offset to start at is not in the log; starting at the earliest record",
      metadata: [
        "topic": .string(partition.topic), "partition": "\(partition.partition)", "reason": .string(reason),
        "wanted": "\(wanted.map { "\($0)" } ?? "committed \(state.committed ?? -1)")",
        "log_start": "\(state.logStart)", "log_end": "\(state.logEnd)",
      ])
    return start.offset
  }

  /// The stored offsets are committed as a part of the unassignment, before the group moves on; not when the
  /// partitions are lost, for then they are somebody else's already.
  func giveUp(_ event: QueueEvent, _ client: Client) {
    let partitions = Set(event.partitions.map(\.partition))
    let isLost = client.hasLostAssignment
    if !partitions.isEmpty {
      listener.revoked(partitions, lost: isLost)
      logger.info(
        "Partitions were taken away",
        metadata: ["partitions": .string(Self.list(partitions)), "lost": "\(isLost)"])
    }
    // A pause would outlive the assignment, and hold the partition still when it comes back.
    client.setPaused(false, partitions.intersection(membership.withLock { $0.paused }))
    Failpoint.consumerGivingUp.pass()
    if let error = client.unassign(Array(partitions)) {
      logger.error("Giving partitions up was refused", metadata: ["error": "\(error)"])
    }
    membership.withLock { $0.revoke(partitions) }
  }

  /// Gives everything up, commits, and leaves. Without a broker to say goodbye to, waits up to `timeout`; the group
  /// will notice the absence after the session timeout.
  func leaveGroup(_ client: Client, within timeout: Duration) {
    let deadline = Deadline(after: timeout)
    let lastEvents = EventQueue(of: client)
    while !pendingRebalances.isEmpty {
      closeRebalance(pendingRebalances.removeFirst(), client)
    }
    if let error = client.beginClose(on: lastEvents) {
      logger.warning("The consumer could not leave its group", metadata: ["error": "\(error)"])
    } else {
      while !client.isClosed, !deadline.hasPassed {
        guard let event = lastEvents.poll(timeout: min(deadline.remaining, .milliseconds(100))) else { continue }
        switch event.type {
        case RD_KAFKA_EVENT_REBALANCE: closeRebalance(event, client)
        case RD_KAFKA_EVENT_OFFSET_COMMIT: noteCommit(event)
        default: break
        }
      }
    }
    forgetAssignment()
  }

  private func closeRebalance(_ event: QueueEvent, _ client: Client) {
    guard event.errorCode == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS else { return giveUp(event, client) }
    // Nobody was told of it yet.
    _ = client.unassign([])
  }

  private static func list(_ partitions: some Sequence<TopicPartition>) -> String {
    partitions.sorted().map(\.description).joined(separator: " ")
  }
}

// MARK: - The C calls

extension Client {
  /// One round of questions; each may take up to 3 seconds.
  ///
  /// A partition that the broker refuses to talk about for good (deleted, or not for us) must not hold up the others:
  /// it counts as an empty log, so that it starts at its earliest record.
  ///
  /// - Throws: ``BrokerError`` when asking again can help.
  fileprivate func committedStates(
    of partitions: [TopicPartition], logger: Logger
  ) throws -> [TopicPartition: CommittedState] {
    guard !partitions.isEmpty else { return [:] }
    let timeout = Duration.seconds(3)
    let committed = try committed(partitions, timeout: timeout)
    let clusterID = try clusterID(timeout: timeout)
    return try partitions.reduce(into: [:]) { states, partition in
      do {
        let (start, end) = try watermarks(of: partition, timeout: timeout)
        states[partition] = CommittedState(
          committed: committed[partition] ?? nil, logStart: start, logEnd: end, clusterID: clusterID)
      } catch let error as BrokerError where error.kind == .permanent {
        logger.error(
          "A partition's offsets cannot be had; it starts at its earliest record",
          metadata: ["partition": "\(partition)", "error": "\(error)"])
        states[partition] = CommittedState(committed: nil, logStart: 0, logEnd: 0, clusterID: clusterID)
      }
    }
  }

  fileprivate var isCooperative: Bool {
    withPointer { rd_kafka_rebalance_protocol($0).map { String(cString: $0) } == "COOPERATIVE" }
  }

  /// Explicit offsets, all of them: librdkafka is left no choice of where to start.
  fileprivate func assign(_ offsets: [TopicPartition: Int64]) -> BrokerError? {
    let isCooperative = isCooperative
    return call(with: PartitionList(offsets)) { client, list in
      guard !isCooperative else {
        return rd_kafka_incremental_assign(client, list).map { BrokerError(consuming: $0, doing: "assigning") }
      }
      let code = rd_kafka_assign(client, list)
      return code.isFailure ? BrokerError(code) : nil
    }
  }

  fileprivate func unassign(_ partitions: [TopicPartition]) -> BrokerError? {
    let isCooperative = isCooperative
    return call(with: PartitionList(partitions)) { client, list in
      guard !isCooperative else {
        return rd_kafka_incremental_unassign(client, list).map { BrokerError(consuming: $0, doing: "giving up") }
      }
      let code = rd_kafka_assign(client, nil)
      return code.isFailure ? BrokerError(code) : nil
    }
  }

  fileprivate var hasLostAssignment: Bool { withPointer { rd_kafka_assignment_lost($0) != 0 } }

  fileprivate var memberID: String? {
    withPointer { client in
      guard let identifier = rd_kafka_memberid(client) else { return nil }
      defer { rd_kafka_mem_free(client, identifier) }
      return String(cString: identifier)
    }
  }

  fileprivate func beginClose(on queue: EventQueue) -> BrokerError? {
    withPointer { client in
      queue.withPointer { rd_kafka_consumer_close_queue(client, $0) }
        .map { BrokerError(consuming: $0, doing: "closing") }
    }
  }

  fileprivate var isClosed: Bool { withPointer { rd_kafka_consumer_closed($0) != 0 } }
}

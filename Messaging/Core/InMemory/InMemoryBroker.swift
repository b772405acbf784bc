/// A broker in this process: topics, partitions, groups with rebalances, and faults to order. For tests and simulations.
///
/// It keeps the promises of the seam as Apache Kafka does, and has passed the same contract suite. Nothing in it runs by
/// itself: messages are written inside `enqueue`, rebalances are served inside `poll`, on the caller's thread. So what
/// happens follows from the order of the calls alone.
///
/// Threads: any.
public final class InMemoryBroker: Broker {
  /// What becomes of a message that a producer hands over.
  public enum Fate: Sendable {
    case acknowledge
    /// Not written; the producer is told so.
    case fail(BrokerError)
    /// Written, but the acknowledgement is lost: the producer is told that it failed.
    case writeAndFail(BrokerError)
  }

  let cluster: Monitor<InMemoryCluster>
  let clocks: Clocks
  private let producerQueueLimit: Int

  /// - Parameters:
  ///   - topics: with their number of partitions.
  ///   - producerQueueLimit: how many messages a producer takes before their reports are fetched.
  ///   - maximumMessageBytes: the largest key, value and headers together that a topic takes.
  public init(
    topics: [String: Int] = [:], clusterID: String = "in-memory-1", producerQueueLimit: Int = 100_000,
    maximumMessageBytes: Int = 1_048_576, clocks: Clocks = .system
  ) {
    cluster = Monitor(
      InMemoryCluster(clusterID: clusterID, topics: topics, maximumMessageBytes: maximumMessageBytes))
    self.producerQueueLimit = producerQueueLimit
    self.clocks = clocks
  }

  public func makeProducer() throws -> any MessageProducer {
    InMemoryProducer(cluster: cluster, clocks: clocks, queueLimit: producerQueueLimit)
  }

  public func makeConsumer(
    group: String, topics: [String], listener: any PartitionListener
  ) throws -> any MessageConsumer {
    InMemoryConsumer(cluster: cluster, group: group, topics: topics, listener: listener)
  }

  public func makeAdmin() throws -> any BrokerAdmin {
    InMemoryAdmin(cluster: cluster)
  }

  /// Every record of a topic, partition by partition, each in order.
  public func records(of topic: String) -> [ConsumedRecord] {
    cluster.withLock { $0.logs[topic]?.flatMap(\.records) ?? [] }
  }

  /// Blocks the calling thread until the topic has `count` records.
  ///
  /// - Returns: whether that came true within `timeout`.
  public func waitForRecords(_ count: Int, of topic: String, atMost timeout: Duration) -> Bool {
    cluster.wait(atMost: timeout) { cluster in
      (cluster.logs[topic]?.reduce(0) { $0 + $1.records.count } ?? 0) >= count ? true : nil
    } ?? false
  }

  /// Blocks the calling thread until `group` has committed everything that `topic` holds.
  ///
  /// - Returns: whether that came true within `timeout`.
  public func waitUntilConsumed(_ topic: String, by group: String, atMost timeout: Duration) -> Bool {
    cluster.wait(atMost: timeout) { cluster in
      let logs = cluster.logs[topic] ?? []
      return logs.enumerated().allSatisfy { index, log in
        let committed = cluster.groups[group]?.committed[TopicPartition(topic, Int32(index))]
        return log.end == log.start || (committed ?? 0) >= log.end
      } ? true : nil
    } ?? false
  }

  /// The offsets a group has committed.
  public func committed(group: String) -> [TopicPartition: Int64] {
    cluster.withLock { $0.groups[group]?.committed ?? [:] }
  }
}

// MARK: - Faults

extension InMemoryBroker {
  /// Nobody can reach the broker until ``bringUp()``: producers keep what they are given, consumers get nothing.
  public func takeDown() {
    cluster.change { $0.isUp = false }
  }

  /// Ends ``takeDown()``: what producers have kept is written, what consumers have stored is committed.
  public func bringUp() {
    let now = clocks.wall().millisecondsSinceEpoch
    cluster.change { cluster in
      cluster.isUp = true
      for id in cluster.producers.keys.sorted() { cluster.flush(producer: id, timestamp: now) }
      cluster.commitStored()
    }
  }

  /// Every message that producers keep because the broker is away fails now, as after `message.timeout.ms`.
  public func timeOutWaitingMessages() {
    let error = BrokerError(kind: .retriable, name: "_MSG_TIMED_OUT", detail: "the broker did not answer in time")
    cluster.change { cluster in
      for (id, producer) in cluster.producers {
        let reports = producer.waiting.map { DeliveryReport(token: $0.token, result: .failure(error)) }
        cluster.producers[id]?.reports.append(contentsOf: reports)
        cluster.producers[id]?.waiting.removeAll()
      }
    }
  }

  /// Messages are written; their reports stay here until ``releaseAcknowledgements()``.
  public func holdAcknowledgements() {
    cluster.change { $0.holdsAcknowledgements = true }
  }

  /// Hands out what was held back, and holds nothing back any more.
  public func releaseAcknowledgements() {
    cluster.change { cluster in
      cluster.holdsAcknowledgements = false
      for (id, producer) in cluster.producers {
        cluster.producers[id]?.reports.append(contentsOf: producer.held)
        cluster.producers[id]?.held = []
      }
    }
  }

  /// Asks `decide` about every message from now on; nil acknowledges all. It runs with the broker's lock held: it must
  /// not call the broker.
  public func onProduce(_ decide: (@Sendable (OutgoingMessage) -> Fate)?) {
    cluster.change { $0.decideFate = decide }
  }

  /// Records of these partitions come to no consumer until they are held no more: an empty set hands out everything. So
  /// records of one partition overtake those of another.
  public func holdRecords(of partitions: Set<TopicPartition>) {
    cluster.change { $0.heldPartitions = partitions }
  }

  /// From now on a poll gives at most `maximum` records; nil leaves it to who polls.
  public func limitFetches(to maximum: Int?) {
    cluster.change { $0.maximumFetch = max(1, maximum ?? .max) }
  }

  /// Every producer there is refuses to go on, as after a fatal error of an idempotent producer.
  public func breakProducers() {
    cluster.change { cluster in
      for id in cluster.producers.keys {
        cluster.producers[id]?.isBroken = true
        cluster.producers[id]?.isWoken = true
      }
    }
  }

  /// The broker has lost every record and every committed offset; its topics are there. With `newClusterID` it is
  /// another cluster, without it says the same id as before.
  public func loseData(newClusterID: String? = nil) {
    cluster.change { $0.loseData(newClusterID: newClusterID) }
  }

  /// Records before `offset` are gone, as after their retention.
  public func truncate(_ partition: TopicPartition, before offset: Int64) {
    cluster.change { $0.truncate(partition, before: offset) }
  }

  /// The group counts this member as dead, as after its session timeout: its partitions go to others at once. It
  /// notices at its next poll, and joins again.
  ///
  /// - Parameter memberID: from ``ConsumerStatus/memberID``.
  public func expel(_ memberID: String, from group: String) {
    cluster.change { cluster in
      guard let id = Int(memberID), cluster.groups[group]?[member: id] != nil else { return }
      cluster.groups[group]?[member: id]?.isExpelled = true
      cluster.rebalanceAll()
    }
  }

  /// With false, stored offsets are committed only when a partition is given up: a member that dies has committed
  /// nothing.
  public func commitStoredOffsetsAtOnce(_ value: Bool) {
    cluster.change { cluster in
      cluster.commitsAtOnce = value
      cluster.commitStored()
    }
  }

  /// Removes a topic with its records, as an operator would.
  public func deleteTopic(_ topic: String) {
    cluster.change { $0.delete(topic) }
  }
}

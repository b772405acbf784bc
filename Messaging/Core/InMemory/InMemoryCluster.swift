/// Everything an ``InMemoryBroker`` knows, as one value behind one lock.
struct InMemoryCluster: Sendable {
  struct Producer: Sendable {
    /// Accepted while the broker was away.
    var waiting = Queue<(token: UInt64, message: OutgoingMessage)>()
    /// Written, and the acknowledgement is being held back.
    var held: [DeliveryReport] = []
    var reports: [DeliveryReport] = []
    var isWoken = false
    var isBroken = false

    var outstanding: Int { waiting.count + held.count + reports.count }
  }

  var clusterID: String
  var isUp = true
  var holdsAcknowledgements = false
  var commitsAtOnce = true
  /// Partitions whose records no consumer gets.
  var heldPartitions: Set<TopicPartition> = []
  /// The most records that a consumer gets at a time.
  var maximumFetch = Int.max
  var decideFate: (@Sendable (OutgoingMessage) -> InMemoryBroker.Fate)?

  private(set) var logs: [String: [InMemoryLog]] = [:]
  var groups: [String: InMemoryGroup] = [:]
  var producers: [Int: Producer] = [:]
  /// Consumers that were woken and have not noticed yet.
  var wokenConsumers: Set<Int> = []
  private var nextClient = 0
  private var nextKeyless = 0

  let maximumMessageBytes: Int

  init(clusterID: String, topics: [String: Int], maximumMessageBytes: Int) {
    self.clusterID = clusterID
    self.maximumMessageBytes = maximumMessageBytes
    for (topic, partitions) in topics { create(topic, partitions: partitions) }
  }

  var topics: [String: Int] { logs.mapValues(\.count) }

  mutating func newClient() -> Int {
    nextClient += 1
    return nextClient
  }

  mutating func create(_ topic: String, partitions: Int) {
    guard logs[topic] == nil else { return }
    logs[topic] = (0..<max(1, partitions)).map { InMemoryLog(TopicPartition(topic, Int32($0))) }
    rebalanceAll()
  }

  mutating func delete(_ topic: String) {
    logs[topic] = nil
    rebalanceAll()
  }

  mutating func rebalanceAll() {
    let topics = topics
    for name in groups.keys { groups[name]?.rebalance(topics: topics) }
  }

  func log(_ partition: TopicPartition) -> InMemoryLog? {
    guard let partitions = logs[partition.topic], partitions.indices.contains(Int(partition.partition)) else {
      return nil
    }
    return partitions[Int(partition.partition)]
  }

  mutating func truncate(_ partition: TopicPartition, before offset: Int64) {
    guard log(partition) != nil else { return }
    logs[partition.topic]?[Int(partition.partition)].truncate(before: offset)
  }

  /// The broker comes back with nothing but its topics. No group is known any more, so every member joins again.
  mutating func loseData(newClusterID: String?) {
    clusterID = newClusterID ?? clusterID
    for (topic, partitions) in topics {
      logs[topic] = (0..<partitions).map { InMemoryLog(TopicPartition(topic, Int32($0))) }
    }
    for (name, group) in groups {
      groups[name]?.committed = [:]
      for id in group.members.keys { groups[name]?[member: id]?.isExpelled = true }
    }
    rebalanceAll()
  }

  /// Takes one message as a broker would: writes it, or refuses it, or writes it and says that it has not.
  mutating func produce(_ message: OutgoingMessage, token: UInt64, timestamp: Int64) -> DeliveryReport {
    let fate = decideFate?(message) ?? .acknowledge
    if case .fail(let error) = fate { return DeliveryReport(token: token, result: .failure(error)) }
    guard let partitions = logs[message.topic]?.count else {
      return DeliveryReport(token: token, result: .failure(.unknownTopic(message.topic)))
    }
    guard message.byteCount <= maximumMessageBytes else {
      return DeliveryReport(token: token, result: .failure(.messageTooLarge(message.byteCount)))
    }
    let partition = choosePartition(message, of: partitions)
    let position = logs[message.topic]?[partition].append(message, timestamp: timestamp)
    guard let position else { return DeliveryReport(token: token, result: .failure(.unknownTopic(message.topic))) }
    if case .writeAndFail(let error) = fate { return DeliveryReport(token: token, result: .failure(error)) }
    return DeliveryReport(token: token, result: .success(position))
  }

  private mutating func choosePartition(_ message: OutgoingMessage, of partitions: Int) -> Int {
    if let key = message.key { return Int(MurmurPartitioner.partition(key: key, partitions: partitions)) }
    nextKeyless += 1
    return nextKeyless % partitions
  }

  /// Hands what a producer has kept to the broker, as far as that is there.
  mutating func flush(producer id: Int, timestamp: Int64) {
    guard isUp, var producer = producers[id] else { return }
    while let (token, message) = producer.waiting.popFirst() {
      let report = produce(message, token: token, timestamp: timestamp)
      if holdsAcknowledgements { producer.held.append(report) } else { producer.reports.append(report) }
    }
    producers[id] = producer
  }

  mutating func commitStored() {
    guard isUp, commitsAtOnce else { return }
    for (name, group) in groups {
      for id in group.members.keys { groups[name]?.commit(id) }
    }
  }
}

extension OutgoingMessage {
  /// Bytes of key, value and headers: what a topic's `max.message.bytes` is about, but for a few bytes of framing.
  public var byteCount: Int {
    (key?.count ?? 0) + (value?.count ?? 0) + packedHeaders.bytes.count
  }
}

extension BrokerError {
  /// As Kafka has it: the topic may be on its way.
  static func unknownTopic(_ topic: String) -> BrokerError {
    BrokerError(kind: .retriable, name: "UNKNOWN_TOPIC_OR_PART", detail: "there is no topic \(topic)")
  }

  static func messageTooLarge(_ bytes: Int) -> BrokerError {
    BrokerError(kind: .permanent, name: "MSG_SIZE_TOO_LARGE", detail: "\(bytes) bytes are more than the topic takes")
  }

  static let brokerAway = BrokerError(kind: .retriable, name: "_TRANSPORT", detail: "the broker is away")
  static let clientClosed = BrokerError(kind: .fatal, name: "_DESTROY", detail: "this client is closed")
}

import Logging

/// How to reach a Kafka cluster, and every librdkafka property beside it.
///
/// Later ones win: the defaults of this package, ``common``, then ``producer`` or ``consumer``. What carries the
/// delivery guarantees is in ``refusedProperties`` and cannot be set.
public struct KafkaConfiguration: Sendable, Hashable {
  /// Where to find the first broker: `host:port`, several with commas between.
  public var bootstrapServers: String
  /// For every client: `security.protocol`, `sasl.username`, `client.id`, ...
  public var common: [String: String]
  public var producer: [String: String]
  public var consumer: [String: String]

  public init(
    bootstrapServers: String, common: [String: String] = [:], producer: [String: String] = [:],
    consumer: [String: String] = [:]
  ) {
    self.bootstrapServers = bootstrapServers
    self.common = common
    self.producer = producer
    self.consumer = consumer
  }

  /// Properties that may not be set, each with the reason. `auto.offset.reset` may be `earliest` only.
  public static let refusedProperties: [String: String] = [
    "acks": "a message counts as published when all in-sync replicas have it",
    "request.required.acks": "a message counts as published when all in-sync replicas have it",
    "enable.idempotence": "a retry must neither double nor reorder messages",
    "delivery.report.only.error": "an outbox row is marked by its delivery report",
    "transactional.id": "the outbox is the transaction",
    "enable.auto.offset.store": "an offset is stored after its record's transaction has been committed",
    "enable.auto.commit": "stored offsets are committed in the background and before a partition is given up",
    "auto.commit.enable": "stored offsets are committed in the background and before a partition is given up",
    "offset.store.method": "offsets are kept by the group",
    "group.id": "the consumer group is named where a consumer is made",
    "bootstrap.servers": "the servers are given by themselves",
    "metadata.broker.list": "the servers are given by themselves",
    "enabled_events": "the events of a client are this package's own",
    "log.queue": "the client's log lines go to the logger",
  ]

  /// Makes one client of each kind, without a server to connect to, and frees it.
  ///
  /// - Throws: ``KafkaConfigurationError`` for a property that is refused, unknown, or has a bad value.
  public func validated() throws {
    let log = ClientLog(logger: Logger(label: "kafka.configuration"), isQuiet: true)
    guard !bootstrapServers.split(separator: ",").isEmpty else {
      throw KafkaConfigurationError(property: "bootstrap.servers", reason: "is empty: no broker to connect to")
    }
    for client in [try producerProperties(), try consumerProperties(group: "validation")] {
      let unconnected = client.properties.filter { $0.name != "bootstrap.servers" }
      _ = try Client(client.role, properties: unconnected, log: log)
    }
  }
}

/// A Kafka property that cannot be used, and why. Stop the start and show it: trying again does not help.
public struct KafkaConfigurationError: Error, Sendable, Hashable, CustomStringConvertible {
  /// Nil where librdkafka does not name one.
  public var property: String?
  public var reason: String

  public init(property: String?, reason: String) {
    self.property = property
    self.reason = reason
  }

  public var description: String {
    property.map { "Kafka property \($0): \(reason)" } ?? "Kafka configuration: \(reason)"
  }
}

// MARK: - What the clients get

struct ClientProperties {
  var role: Client.Role
  var properties: [ClientProperty]
}

extension KafkaConfiguration {
  func producerProperties() throws(KafkaConfigurationError) -> ClientProperties {
    try ClientProperties(
      role: .producer,
      properties: merged(defaults: Self.commonDefaults + Self.producerDefaults, with: producer)
        + [ClientProperty("acks", "all"), ClientProperty("enable.idempotence", "true")])
  }

  func consumerProperties(group: String) throws(KafkaConfigurationError) -> ClientProperties {
    try ClientProperties(
      role: .consumer,
      properties: merged(defaults: Self.commonDefaults + Self.consumerDefaults, with: consumer)
        + [
          ClientProperty("group.id", group), ClientProperty("enable.auto.offset.store", "false"),
          ClientProperty("enable.auto.commit", "true"),
        ])
  }

  /// A client that reads what it is told to and commits nothing. librdkafka wants a group's name all the same; it is
  /// never sent, for nothing is joined.
  func readerProperties() throws(KafkaConfigurationError) -> ClientProperties {
    try ClientProperties(
      role: .consumer,
      properties: merged(defaults: Self.commonDefaults + Self.consumerDefaults, with: consumer)
        + [
          ClientProperty("group.id", "reader-without-a-group"), ClientProperty("enable.auto.offset.store", "false"),
          ClientProperty("enable.auto.commit", "false"), ClientProperty("enable.partition.eof", "true"),
        ])
  }

  /// A client that asks for a group's offsets: it joins nothing and commits nothing.
  func groupProperties(group: String) throws(KafkaConfigurationError) -> ClientProperties {
    try ClientProperties(
      role: .consumer,
      properties: merged(defaults: Self.commonDefaults, with: [:])
        + [
          ClientProperty("group.id", group), ClientProperty("enable.auto.commit", "false"),
          ClientProperty("allow.auto.create.topics", "false"),
        ])
  }

  /// Of the consumer kind, because a producer's questions may create the topic they are about.
  func adminProperties() throws(KafkaConfigurationError) -> ClientProperties {
    try ClientProperties(
      role: .consumer,
      properties: merged(defaults: Self.commonDefaults, with: [:])
        + [ClientProperty("allow.auto.create.topics", "false")])
  }

  private func merged(
    defaults: [ClientProperty], with own: [String: String]
  ) throws(KafkaConfigurationError) -> [ClientProperty] {
    let given = Self.inOrder(common) + Self.inOrder(own)
    for property in given {
      try Self.refuse(property)
    }
    return defaults + given + [ClientProperty("bootstrap.servers", bootstrapServers)]
  }

  private static func inOrder(_ properties: [String: String]) -> [ClientProperty] {
    properties.sorted { $0.key < $1.key }.map { ClientProperty($0.key, $0.value) }
  }

  private static func refuse(_ property: ClientProperty) throws(KafkaConfigurationError) {
    if let reason = refusedProperties[property.name] {
      throw KafkaConfigurationError(property: property.name, reason: "cannot be set: \(reason)")
    }
    if property.name == "auto.offset.reset", !["earliest", "beginning", "smallest"].contains(property.value) {
      throw KafkaConfigurationError(
        property: property.name, reason: "must be earliest: a new group would skip what was published before it")
    }
  }

  /// An outage is noticed within 10 seconds, and its end within 2.
  private static let commonDefaults = [
    ClientProperty("client.id", "swift-messaging"),
    ClientProperty("socket.nagle.disable", "true"),
    ClientProperty("socket.keepalive.enable", "true"),
    ClientProperty("socket.timeout.ms", "10000"),
    ClientProperty("reconnect.backoff.max.ms", "2000"),
  ]

  /// Java's partitioner, so that every client in any language puts a key into the same partition.
  /// At most 100,000 messages or 64 MiB wait in the client: that is the back-pressure of `enqueue`.
  private static let producerDefaults = [
    ClientProperty("partitioner", "murmur2_random"),
    ClientProperty("compression.type", "lz4"),
    ClientProperty("linger.ms", "1"),
    ClientProperty("queue.buffering.max.messages", "100000"),
    ClientProperty("queue.buffering.max.kbytes", "65536"),
    ClientProperty("request.timeout.ms", "10000"),
    ClientProperty("message.timeout.ms", "30000"),
  ]

  /// At most 16 MiB of fetched records wait in the client.
  /// A topic that is made later is found within 5 seconds.
  private static let consumerDefaults = [
    ClientProperty("auto.offset.reset", "earliest"),
    ClientProperty("session.timeout.ms", "6000"),
    ClientProperty("heartbeat.interval.ms", "1000"),
    ClientProperty("auto.commit.interval.ms", "1000"),
    ClientProperty("queued.max.messages.kbytes", "16384"),
    ClientProperty("topic.metadata.refresh.interval.ms", "5000"),
    ClientProperty("allow.auto.create.topics", "false"),
    ClientProperty("check.crcs", "true"),
  ]
}

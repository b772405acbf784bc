import Logging
import Messaging

/// Apache Kafka, or whatever speaks its protocol, through librdkafka.
///
/// Making a client never waits for a broker: it connects in the background, and again whenever it has to.
public final class KafkaBroker: Broker {
  private let configuration: KafkaConfiguration
  private let logger: Logger

  public init(configuration: KafkaConfiguration, logger: Logger) {
    self.configuration = configuration
    self.logger = logger
  }

  /// - Throws: ``KafkaConfigurationError``.
  public func makeProducer() throws -> any MessageProducer {
    try KafkaProducer(configuration: configuration, logger: logger)
  }

  /// - Throws: ``KafkaConfigurationError``.
  public func makeConsumer(
    group: String, topics: [String], listener: any PartitionListener
  ) throws -> any MessageConsumer {
    try KafkaConsumer(
      configuration: configuration, group: group, topics: topics, listener: listener, logger: logger)
  }

  /// - Throws: ``KafkaConfigurationError``.
  public func makeAdmin() throws -> any BrokerAdmin {
    try makeKafkaAdmin()
  }

  /// The same as ``makeAdmin()``, with what only Kafka can do.
  ///
  /// - Throws: ``KafkaConfigurationError``.
  public func makeKafkaAdmin() throws -> KafkaAdmin {
    try KafkaAdmin(configuration: configuration, logger: logger)
  }

  /// Reads topics without a group, for tools. Blocks up to `timeout` to find out where the partitions begin and end.
  ///
  /// - Throws: ``BrokerError``, also when a topic does not exist; ``KafkaConfigurationError``.
  public func makeReader(
    topics: [String], from start: TopicReader.Start, timeout: Duration
  ) throws -> TopicReader {
    try TopicReader(configuration: configuration, topics: topics, from: start, timeout: timeout, logger: logger)
  }
}

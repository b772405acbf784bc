import Logging
import Messaging
import MessagingKafka

/// Everything a service can be told from outside, checked. Nothing below `ServiceMain` reads the environment.
///
/// ``ConfigurationKey/all(for:)`` documents each key.
public struct ServiceConfiguration: Sendable {
  public enum LogFormat: String, Sendable, CaseIterable {
    case text, json
  }

  public var identity: ServiceIdentity
  public var httpHost: String = "127.0.0.1"
  /// 0 takes a free port.
  public var httpPort: Int
  public var httpThreads: Int = 1
  /// Nil lets everybody who reaches the address do everything.
  public var apiTokens: AccessTokens?
  /// Requests per second and client; nil for as many as come.
  public var rateLimit: Int?
  /// `:memory:` is a database that ends with the process.
  public var databasePath: String
  public var kafka: KafkaConfiguration
  public var consumerGroup: String
  public var topicPartitions: Int = 6
  /// Whether somebody has said so: then a topic with another number is refused.
  public var demandsTopicPartitions: Bool = false
  public var topicReplicationFactor: Int = 1
  public var retry: RetryPolicy = RetryPolicy()
  public var topicRetention: Duration = .seconds(168 * 3600)
  public var outboxRetention: Duration = .seconds(168 * 3600)
  public var inboxRetention: Duration = .seconds(720 * 3600)
  /// Set for a broker that drops its oldest records without a word (the embedded one); nil for Apache Kafka.
  public var relayMaxUnconsumedBytes: Int?
  /// Nil leaves mails in the mock mailbox.
  public var smtp: SMTPConfiguration?
  public var mailSender: MailSender = .orderflow
  /// The reading end of a pipe whose other end the parent holds.
  public var lifelineDescriptor: Int32?
  public var logLevel: Logger.Level = .info
  public var logFormat: LogFormat = .text

  /// The defaults, for tests and for programs that host a service themselves.
  public init(identity: ServiceIdentity) {
    self.identity = identity
    self.httpPort = identity.defaultPort
    self.databasePath = ".orderflow/\(identity.name).sqlite"
    self.kafka = KafkaConfiguration(bootstrapServers: "localhost:9092", common: ["client.id": identity.name])
    self.consumerGroup = identity.name
  }
}

import Foundation
import Logging
import Messaging
import MessagingKafka

/// How the command line reaches the broker: Kafka's own properties come from the same variables as the services'
/// (`KAFKA_SECURITY_PROTOCOL`, `KAFKA_SASL_USERNAME`, ..., `KAFKA_CONSUMER_<NAME>`).
enum KafkaAccess {
  /// How long a broker may take to answer.
  static let timeout = Duration.seconds(10)

  static func broker(of stack: Stack, environment: [String: String]) -> KafkaBroker {
    KafkaBroker(
      configuration: configuration(of: stack, environment: environment),
      logger: Logger(label: "orderflow", factory: { _ in SwiftLogNoOpLogHandler() }))
  }

  static func configuration(of stack: Stack, environment: [String: String]) -> KafkaConfiguration {
    var configuration = KafkaConfiguration(bootstrapServers: stack.bootstrapServers)
    guard !stack.isEmbeddedBroker else {
      // Its fetch sleeps this long whenever there is nothing.
      configuration.consumer["fetch.wait.max.ms"] = "5"
      return configuration
    }
    for (name, value) in environment {
      guard name.hasPrefix("KAFKA_"), !value.isEmpty, !notProperties.contains(where: name.hasPrefix) else { continue }
      if name.hasPrefix("KAFKA_CONSUMER_") {
        configuration.consumer[property(name.dropFirst("KAFKA_CONSUMER_".count))] = value
      } else {
        configuration.common[property(name.dropFirst("KAFKA_".count))] = value
      }
    }
    return configuration
  }

  /// Asks the cluster on a thread of its own, since that blocks.
  static func administer<Answer: Sendable>(
    _ stack: Stack, _ ask: @escaping @Sendable (KafkaAdmin) throws -> Answer
  ) async throws -> Answer {
    let environment = ProcessInfo.processInfo.environment
    return try await blocking(stack) {
      let admin = try broker(of: stack, environment: environment).makeKafkaAdmin()
      defer { admin.close() }
      return try ask(admin)
    }
  }

  /// Runs what waits for the broker on a thread of its own, and puts the broker's refusal into the command's words.
  static func blocking<Answer: Sendable>(
    _ stack: Stack, _ body: @escaping @Sendable () throws -> Answer
  ) async throws -> Answer {
    try await DedicatedThread.run(named: "kafka") {
      do {
        return try body()
      } catch let error as BrokerError {
        throw Failure(error, stack: stack)
      }
    }
  }

  /// The services' own settings, the producer's, and what Kubernetes sets for a service called `kafka`.
  private static let notProperties = [
    "KAFKA_BOOTSTRAP_SERVERS", "KAFKA_CONSUMER_GROUP", "KAFKA_TOPIC_", "KAFKA_PRODUCER_", "KAFKA_PORT",
    "KAFKA_SERVICE_",
  ]

  private static func property(_ name: Substring) -> String {
    name.lowercased().replacing("_", with: ".")
  }
}

extension Failure {
  init(_ error: BrokerError, stack: Stack) {
    switch error.kind {
    case .unsupported where stack.isEmbeddedBroker:
      self.init("the embedded broker cannot do this (\(error.detail)); a Kafka can")
    case .retriable where error.name.hasPrefix("_"):
      self.init("no answer from the broker at \(stack.bootstrapServers) (\(error)); is it running?")
    default:
      self.init("\(error)")
    }
  }
}

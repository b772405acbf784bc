import Logging
import Messaging
import MessagingKafka
import TestSupport

/// Writes to `orders` like a program that shares no code with the services.
struct TopicWriter {
  private let producer: any MessageProducer

  init(_ stack: RunningStack) throws {
    producer = try KafkaBroker(
      configuration: KafkaConfiguration(bootstrapServers: stack.bootstrapServers), logger: silent
    ).makeProducer()
  }

  /// Returns when the broker has it.
  func write(_ value: String?, key: String) throws {
    let message = OutgoingMessage(topic: "orders", key: Array(key.utf8), value: value.map { Array($0.utf8) })
    _ = try producer.enqueue([(token: 1, message: message)])
    while producer.deliveries(timeout: .seconds(5)).isEmpty {}
  }

  func close() { producer.close(timeout: .seconds(5)) }
}

private let silent = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

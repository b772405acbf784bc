import ArgumentParser
import EventSchema
import Logging
import Messaging
import MessagingKafka

/// Hands messages to the producer as fast as it takes them, with nothing to read before and nothing to mark after.
struct BareProducer: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "producer")

  @Option var bootstrapServers: String
  @Option var records = 50_000

  func run() throws {
    let messages = SampleOrders().messages(records)
    let start = ContinuousClock.now
    try Publication(bootstrapServers: bootstrapServers).publish(messages)
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    print(#"{"records":\#(records),"seconds":\#(seconds),"records_per_second":\#(Double(records) / seconds)}"#)
  }
}

/// Puts orders on topic `orders` that no OrderService knows, for the consumers' rows.
struct FillTopic: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "fill")

  @Option var bootstrapServers: String
  @Option var orders = 50_000

  func run() throws {
    try Publication(bootstrapServers: bootstrapServers).publish(SampleOrders().messages(orders))
    print(#"{"orders":\#(orders)}"#)
  }
}

/// A producer as the relay has it.
struct Publication {
  let bootstrapServers: String

  /// Returns when every message is acknowledged.
  func publish(_ messages: [OutgoingMessage]) throws {
    let configuration = KafkaConfiguration(
      bootstrapServers: bootstrapServers, producer: ["linger.ms": "1"])
    let producer = try KafkaBroker(configuration: configuration, logger: Logger(label: "producer")).makeProducer()
    defer { producer.close(timeout: .seconds(10)) }
    var rest = messages.enumerated().map { (token: UInt64($0.offset), message: $0.element) }[...]
    var reported = 0
    while reported < messages.count {
      rest = rest.dropFirst(try producer.enqueue(Array(rest.prefix(1000))))
      let reports = producer.deliveries(timeout: rest.isEmpty ? .milliseconds(100) : .zero)
      for report in reports { _ = try report.result.get() }
      reported += reports.count
    }
  }
}

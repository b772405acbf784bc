import ArgumentParser
import EventSchema
import Foundation
import Logging
import Messaging
import MessagingKafka

/// Hands messages to the producer as fast as it takes them, with nothing to read before and nothing to mark after.
struct BareProducer: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "producer")

  @Option var bootstrapServers: String
  @Option var records = 50_000

  func run() throws {
    let messages = SampleOrders().created(records)
    let start = ContinuousClock.now
    try Publication(bootstrapServers: bootstrapServers).publish(messages)
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    print(#"{"records":\#(records),"seconds":\#(seconds),"records_per_second":\#(Double(records) / seconds)}"#)
  }
}

/// Fills a topic for the consumers' rows: `orders` with orders that no OrderService knows, or `inventory` with an answer
/// to each order whose id is in a file, a line each.
struct FillTopic: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "fill")

  @Option var bootstrapServers: String
  @Option var orders = 50_000
  @Option var answerOrdersIn: String?

  func run() throws {
    let messages = try answerOrdersIn.map(answers) ?? SampleOrders().created(orders)
    try Publication(bootstrapServers: bootstrapServers).publish(messages)
    print(#"{"events":\#(messages.count)}"#)
  }

  private func answers(path: String) throws -> [OutgoingMessage] {
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    return SampleOrders().reserved(lines.compactMap { OrderID(String($0)) })
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

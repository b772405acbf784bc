import ArgumentParser
import Foundation
import Messaging
import MessagingKafka
import Synchronization

/// Shows the events of a topic as they pass.
struct Tail: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Prints the events of a topic as they pass, until Ctrl-C.",
    discussion: """
      A line has the time, topic[partition]@offset, the key, the event's type and its value. With --json a line has \
      the value alone: null for a tombstone, an object with the bytes in base64 for what is not JSON.
      """)

  @Argument(help: "The topic: orders, inventory, orders-dlq, inventory-dlq, or any other.")
  var topic: String

  @Flag(help: "Begins with everything that the topic still has.")
  var fromBeginning = false

  @Flag(help: "Prints the values alone, one a line.")
  var json = false

  @OptionGroup var brokerOptions: BrokerOptions

  func run() async throws {
    let stack = try brokerOptions.stack()
    let broker = KafkaAccess.broker(of: stack, environment: ProcessInfo.processInfo.environment)
    let signals = EndSignals()
    let reader = try await openReader(broker, stack)
    let isEnding = EndFlag()
    let ending = Task {
      for await _ in signals.received {
        isEnding.raise()
        reader.wake()
      }
    }
    defer { ending.cancel() }
    try await KafkaAccess.blocking(stack) { [json] in
      let output = Output.standard
      defer { reader.close() }
      while !isEnding.isRaised {
        for record in try reader.read(maximum: 1_000, timeout: .seconds(60)) {
          let line = EventLine(record)
          output.line(bytes: json ? line.raw : Array(line.text(palette: output.palette).utf8))
        }
      }
    }
  }

  private func openReader(_ broker: KafkaBroker, _ stack: Stack) async throws -> TopicReader {
    try await KafkaAccess.blocking(stack) { [topic, fromBeginning] in
      try broker.makeReader(topics: [topic], from: fromBeginning ? .earliest : .end, timeout: KafkaAccess.timeout)
    }
  }
}

/// Raised once, by any thread; stays so.
private final class EndFlag: Sendable {
  private let value = Atomic(false)

  var isRaised: Bool { value.load(ordering: .acquiring) }

  func raise() { value.store(true, ordering: .releasing) }
}

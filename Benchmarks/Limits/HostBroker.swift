import ArgumentParser
import EventSchema
import Foundation
import Messaging
import MessagingKafka

/// The embedded broker alone, until the standard input ends.
struct HostBroker: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "broker")

  @Option var partitions = 6

  func run() throws {
    BatchScheduling.adopt()
    let broker = try EmbeddedBroker(topics: Topics.all.map { ($0, partitions) })
    FileHandle.standardOutput.write(Data(#"{"bootstrap_servers":"\#(broker.bootstrapServers)"}"#.utf8) + [0x0A])
    while readLine() != nil {}
    broker.close()
  }
}

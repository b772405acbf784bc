import ArgumentParser
import MessagingKafka

/// Deletes a topic with everything in it.
struct DeleteTopic: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete", abstract: "Deletes a topic with all its records.")

  @Argument(help: "The topic.")
  var topic: String

  @OptionGroup var brokerOptions: BrokerOptions

  func run() async throws {
    let stack = try brokerOptions.stack()
    try await KafkaAccess.administer(stack) { [topic] in try $0.deleteTopics([topic], timeout: KafkaAccess.timeout) }
    Output.standard.line("Deleted \(topic)")
  }
}

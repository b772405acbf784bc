import ArgumentParser
import Messaging
import MessagingKafka

/// Creates a topic.
struct CreateTopic: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "create", abstract: "Creates a topic.")

  @Argument(help: "The topic.")
  var topic: String

  @Option(help: "How many partitions. Changing it later moves keys to other partitions.")
  var partitions: Int

  @Option(help: "How many brokers keep each partition.")
  var replicationFactor: Int

  @Option(
    name: [.customLong("config")],
    help: ArgumentHelp("A setting, by Kafka's name; repeat it for more.", valueName: "key=value"),
    transform: TopicSetting.init)
  var settings: [TopicSetting] = []

  @OptionGroup var brokerOptions: BrokerOptions

  func validate() throws {
    guard (1...100_000).contains(partitions) else { throw ValidationError("--partitions has to be from 1 to 100000") }
    guard (1...32_767).contains(replicationFactor) else {
      throw ValidationError("--replication-factor has to be from 1 to 32767")
    }
  }

  func run() async throws {
    let stack = try brokerOptions.stack()
    let specification = TopicSpecification(
      name: topic, partitions: partitions, replicationFactor: replicationFactor,
      configuration: Dictionary(settings.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 }))
    try await KafkaAccess.administer(stack) { admin in
      guard try admin.topics(timeout: KafkaAccess.timeout)[specification.name] == nil else {
        throw Failure("the topic \(specification.name) is there already")
      }
      try admin.createTopics([specification], timeout: KafkaAccess.timeout)
    }
    Output.standard.line("Created \(topic): \(partitions) partitions, replication factor \(replicationFactor)")
  }
}

/// `retention.ms=-1`
struct TopicSetting: Sendable, Hashable {
  var name: String
  var value: String

  init(_ argument: String) throws {
    let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty else {
      throw ValidationError("'\(argument.printable)' is not KEY=VALUE, as in retention.ms=-1")
    }
    name = String(parts[0])
    value = String(parts[1])
  }
}

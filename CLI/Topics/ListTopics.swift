import ArgumentParser
import MessagingKafka
import WireFormat

/// Every topic with its partitions.
struct ListTopics: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists the topics.")

  @Flag(help: "Shows Kafka's own topics too.")
  var all = false

  @Flag(help: "Prints JSON.")
  var json = false

  @OptionGroup var brokerOptions: BrokerOptions

  func run() async throws {
    let stack = try brokerOptions.stack()
    let partitions = try await KafkaAccess.administer(stack) { try $0.topics(timeout: KafkaAccess.timeout) }
    let topics = partitions.filter { all || !$0.key.hasPrefix("__") }.sorted { $0.key < $1.key }
    if json {
      var json = JSONWriter()
      json.object { json in
        json.member(
          "topics",
          array: { json in
            for (name, partitions) in topics {
              json.object { json in
                json.member("name", name)
                json.member("partitions", partitions)
              }
            }
          })
      }
      return Output.standard.line(bytes: json.bytes)
    }
    var table = Table(.text("TOPIC"), .number("PARTITIONS"))
    for (name, partitions) in topics { table.add(name, String(partitions)) }
    table.write(to: .standard)
  }
}

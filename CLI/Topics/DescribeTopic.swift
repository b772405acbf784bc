import ArgumentParser
import MessagingKafka
import WireFormat

/// A topic's partitions and settings.
struct DescribeTopic: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "describe", abstract: "Shows a topic's partitions, their offsets, and its settings.")

  @Argument(help: "The topic.")
  var topic: String

  @Flag(help: "Shows settings that nobody has changed too.")
  var all = false

  @Flag(help: "Prints JSON.")
  var json = false

  @OptionGroup var brokerOptions: BrokerOptions

  func run() async throws {
    let stack = try brokerOptions.stack()
    let description = try await KafkaAccess.administer(stack) { [topic] in
      try $0.describeTopic(topic, timeout: KafkaAccess.timeout)
    }
    if json { return Output.standard.line(bytes: description.jsonBytes) }
    var table = Table(
      .number("PARTITION"), .number("LEADER"), .text("REPLICAS"), .text("IN SYNC"), .number("START"), .number("END"),
      .number("RECORDS"))
    for partition in description.partitions {
      table.add(
        String(partition.id), text(partition.leader), partition.replicas.map(String.init).joined(separator: ","),
        partition.inSyncReplicas.map(String.init).joined(separator: ","), text(partition.start), text(partition.end),
        text(partition.records))
    }
    table.write(to: .standard)
    writeSettings(of: description)
  }

  private func writeSettings(of description: TopicDescription) {
    Output.standard.line()
    guard let settings = description.settings else {
      return Output.standard.line("The broker does not tell the topic's settings.")
    }
    var table = Table(.text("SETTING"), .text("VALUE"))
    for setting in settings where all || !setting.isDefault { table.add(setting.name, setting.value ?? "(secret)") }
    table.write(to: .standard)
  }

  private func text(_ number: (some BinaryInteger)?) -> String { number.map { "\($0)" } ?? "-" }
}

extension TopicDescription.Partition {
  /// How many offsets it still has; nil where they are not known.
  var records: Int64? {
    guard let start, let end else { return nil }
    return end.subtractingReportingOverflow(start).partialValue
  }
}

extension TopicDescription: JSONEncodable {
  public func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("name", name)
      json.member(
        "partitions",
        array: { json in
          for partition in partitions {
            json.object { json in
              json.member("partition", partition.id)
              json.member("leader", partition.leader)
              json.member("replicas", partition.replicas)
              json.member("in_sync_replicas", partition.inSyncReplicas)
              json.member("start", partition.start)
              json.member("end", partition.end)
            }
          }
        })
      guard let settings else { return json.member("settings", String?.none) }
      json.member(
        "settings",
        array: { json in
          for setting in settings {
            json.object { json in
              json.member("name", setting.name)
              json.member("value", setting.value)
              json.member("default", setting.isDefault)
            }
          }
        })
    }
  }
}

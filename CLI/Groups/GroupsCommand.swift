import ArgumentParser

/// Consumer groups.
struct GroupsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "groups", abstract: "Lists and describes consumer groups, and moves stopped ones.",
    discussion: "The embedded broker does not tell about groups: there the services are asked for theirs.",
    subcommands: [ListGroups.self, DescribeGroup.self, ResetGroup.self])
}

/// Every consumer group.
struct ListGroups: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists the consumer groups.")

  @Flag(help: "Prints JSON.")
  var json = false

  @OptionGroup var brokerOptions: BrokerOptions

  func run() async throws {
    let reports = try await GroupDirectory(stack: try brokerOptions.stack()).all()
    if json { return Output.standard.line(bytes: GroupList(groups: reports).jsonBytes) }
    var table = Table(.text("GROUP"), .text("STATE"), .number("MEMBERS"), .number("LAG"))
    for report in reports {
      table.add(report.name, report.state, String(report.members.count), report.lag.map(String.init) ?? "-")
    }
    table.write(to: .standard)
  }
}

/// A group's members and offsets.
struct DescribeGroup: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "describe", abstract: "Shows a group's members and, for each partition, how far it has read.")

  @Argument(help: "The group.")
  var group: String

  @Flag(help: "Prints JSON.")
  var json = false

  @OptionGroup var brokerOptions: BrokerOptions

  func run() async throws {
    let report = try await GroupDirectory(stack: try brokerOptions.stack()).group(group)
    if json { return Output.standard.line(bytes: report.jsonBytes) }
    let output = Output.standard
    output.line("\(report.name): \(report.state), \(report.members.count) members")
    output.line()
    var members = Table(.text("MEMBER"), .text("PLACE"), .text("ASSIGNMENT"))
    for member in report.members {
      members.add(member.id, member.place, member.assignment.sorted().map(\.description).joined(separator: " "))
    }
    members.write(to: output)
    output.line()
    var partitions = Table(
      .text("TOPIC"), .number("PARTITION"), .number("COMMITTED"), .number("END"), .number("LAG"), .text("MEMBER"))
    for partition in report.partitions {
      partitions.add(
        partition.partition.topic, String(partition.partition.partition), text(partition.committed),
        text(partition.end), text(partition.lag), partition.memberID ?? "-")
    }
    partitions.write(to: output)
  }

  private func text(_ number: Int64?) -> String { number.map { String($0) } ?? "-" }
}

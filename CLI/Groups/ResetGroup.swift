import ArgumentParser
import Messaging
import MessagingKafka
import WireFormat

/// Moves a group that has no members.
struct ResetGroup: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reset", abstract: "Moves a stopped group to the earliest records, or to those of a time.",
    discussion: """
      The group must have no members: stop its service first. Events that it has handled before are dropped as \
      duplicates when they are read again. A service also keeps its own offsets and starts at the lower of the two, so \
      it can be moved back, not forward.
      """)

  @Argument(help: "The group.")
  var group: String

  @Flag(help: "To the first record that each partition still has.")
  var toEarliest = false

  @Option(
    help: ArgumentHelp(
      "To the first record at or after a time, as 2026-11-22T20:21:07Z.", valueName: "time"),
    transform: Self.time)
  var toTime: Timestamp?

  @Option(
    name: [.customLong("topic")],
    help: ArgumentHelp(
      "Only this topic; repeat it for more. Otherwise all that the group has offsets of.",
      valueName: "topic"))
  var topics: [String] = []

  @Flag(help: "Prints what would be done, and does nothing.")
  var dryRun = false

  @Flag(help: "Prints JSON.")
  var json = false

  @OptionGroup var brokerOptions: BrokerOptions

  func validate() throws {
    guard toEarliest != (toTime != nil) else { throw ValidationError("give either --to-earliest or --to-time") }
  }

  func run() async throws {
    let stack = try brokerOptions.stack()
    try await checkHasNoMembers(stack)
    let moves = try await KafkaAccess.administer(stack) { [self] admin in
      let moves = try plan(admin)
      if !dryRun {
        let offsets = Dictionary(uniqueKeysWithValues: moves.map { ($0.partition, $0.to) })
        try admin.alterGroupOffsets(group: group, to: offsets, timeout: KafkaAccess.timeout)
      }
      return moves
    }
    if json { return Output.standard.line(bytes: moves.jsonBytes) }
    var table = Table(.text("TOPIC"), .number("PARTITION"), .number("FROM"), .number("TO"))
    for move in moves {
      table.add(
        move.partition.topic, String(move.partition.partition), move.from.map { String($0) } ?? "-", String(move.to))
    }
    table.write(to: .standard)
    Output.standard.line(dryRun ? "Nothing was moved (--dry-run)." : "Moved \(group).")
  }

  private func checkHasNoMembers(_ stack: Stack) async throws {
    let members: Int
    if stack.isEmbeddedBroker {
      members = try await GroupDirectory(stack: stack).all().first { $0.name == group }?.members.count ?? 0
    } else {
      members = try await GroupDirectory(stack: stack).group(group).members.count
    }
    guard members == 0 else {
      throw Failure("\(group) has \(members) \(members == 1 ? "member" : "members"); stop its service first")
    }
  }

  private func plan(_ admin: KafkaAdmin) throws -> [OffsetMove] {
    let all = try admin.topics(timeout: KafkaAccess.timeout)
    if let missing = topics.first(where: { all[$0] == nil }) { throw Failure("there is no topic \(missing)") }
    let candidates = all.filter { topics.isEmpty ? !$0.key.hasPrefix("__") : topics.contains($0.key) }
      .flatMap { topic, count in (0..<Int32(clamping: count)).map { TopicPartition(topic, $0) } }
    let committed = try admin.committed(group: group, partitions: candidates, timeout: KafkaAccess.timeout)
    let partitions = topics.isEmpty ? committed.keys.sorted() : candidates.sorted()
    guard !partitions.isEmpty else { throw Failure("\(group) has no offsets; name the topics with --topic") }
    let targets = try targets(of: partitions, admin)
    return partitions.compactMap { partition in
      targets[partition].map { OffsetMove(partition: partition, from: committed[partition], to: $0) }
    }
  }

  private func targets(of partitions: [TopicPartition], _ admin: KafkaAdmin) throws -> [TopicPartition: Int64] {
    if let toTime {
      let times = Dictionary(uniqueKeysWithValues: partitions.map { ($0, toTime.millisecondsSinceEpoch) })
      return try admin.offsets(forTimes: times, timeout: KafkaAccess.timeout)
    }
    return try partitions.reduce(into: [:]) { targets, partition in
      targets[partition] = try admin.watermarks(of: partition, timeout: KafkaAccess.timeout).start
    }
  }

  @Sendable private static func time(_ text: String) throws -> Timestamp {
    guard let time = Timestamp(rfc3339: text) else {
      throw ValidationError("'\(text.printable)' is not a time as 2026-11-22T20:21:07Z")
    }
    return time
  }
}

/// Where a group goes on reading a partition.
struct OffsetMove: Sendable, Hashable, JSONEncodable {
  var partition: TopicPartition
  var from: Int64?
  var to: Int64

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("topic", partition.topic)
      json.member("partition", partition.partition)
      json.member("from", from)
      json.member("to", to)
    }
  }
}

import Messaging
import MessagingKafka
import WireFormat

/// Finds consumer groups: through Kafka, or, where the broker is the embedded one, through the services that are in
/// them.
struct GroupDirectory: Sendable {
  let stack: Stack

  /// Sorted by name.
  func all() async throws -> [GroupReport] {
    if stack.isEmbeddedBroker { return try await reportsOfServices().sorted { $0.name < $1.name } }
    let names = try await KafkaAccess.administer(stack) { try $0.listGroups(timeout: KafkaAccess.timeout).map(\.name) }
    var reports: [GroupReport] = []
    for name in names.sorted() { reports.append(try await group(name)) }
    return reports
  }

  /// - Throws: ``Failure`` when nobody has heard of the group.
  func group(_ name: String) async throws -> GroupReport {
    guard stack.isEmbeddedBroker else {
      return try await KafkaAccess.administer(stack) { try GroupReport(describing: name, $0) }
    }
    guard let report = try await reportsOfServices().first(where: { $0.name == name }) else {
      throw Failure("no running service is in a group \(name), and the embedded broker does not tell about others")
    }
    return report
  }

  private func reportsOfServices() async throws -> [GroupReport] {
    var reports: [String: GroupReport] = [:]
    for instance in stack.allInstances {
      let answer = try await instance.get("/consumers")
      for consumer in (answer["consumers"]?.array ?? []).compactMap(\.object) {
        guard let report = GroupReport(consumer, place: instance.baseURL) else { continue }
        reports[report.name, default: GroupReport(name: report.name, state: "", members: [], partitions: [])].add(
          report)
      }
    }
    return Array(reports.values)
  }
}

extension GroupReport {
  /// Asks Kafka. Blocks.
  fileprivate init(describing name: String, _ admin: KafkaAdmin) throws {
    let description = try admin.describeGroup(name, timeout: KafkaAccess.timeout)
    let committed = try admin.committed(group: name, timeout: KafkaAccess.timeout)
    guard description.state != "Dead" || !committed.isEmpty else { throw Failure("there is no group \(name)") }
    var owners: [TopicPartition: String] = [:]
    for member in description.members {
      for partition in member.assignment { owners[partition] = member.id }
    }
    let partitions = Set(committed.keys).union(owners.keys).sorted().map { partition in
      let log = try? admin.watermarks(of: partition, timeout: KafkaAccess.timeout)
      let start = committed[partition] ?? log?.start
      return Partition(
        partition: partition, committed: committed[partition], end: log?.end,
        lag: log.flatMap { log in start.map { max(0, log.end.subtractingReportingOverflow($0).partialValue) } },
        memberID: owners[partition])
    }
    self.init(
      name: name, state: description.state,
      members: description.members.map {
        Member(id: $0.id, place: "\($0.clientID) \($0.host)", assignment: $0.assignment)
      },
      partitions: partitions)
  }

  /// One entry of a service's `GET /consumers`; nil when it names no group.
  init?(_ consumer: JSONObject, place: String) {
    guard let name = consumer["group"]?.string else { return nil }
    self.init(name: name, state: "", members: [], partitions: [])
    for member in (consumer["members"]?.array ?? []).compactMap(\.object) {
      let id = member["member_id"]?.string ?? "(joining)"
      let assigned = (member["assignment"]?.array ?? []).compactMap {
        $0.object.flatMap { Partition($0, memberID: id) }
      }
      partitions += assigned
      members.append(Member(id: id, place: place, assignment: assigned.map(\.partition)))
    }
    setState()
  }

  /// Adds what another instance of the service knows.
  mutating func add(_ other: GroupReport) {
    members += other.members
    partitions = (partitions + other.partitions).sorted { $0.partition < $1.partition }
    setState()
  }

  private mutating func setState() {
    let isJoining = members.contains { $0.id == "(joining)" }
    state = members.isEmpty ? "Empty" : isJoining ? "PreparingRebalance" : "Stable"
  }
}

extension GroupReport.Partition {
  fileprivate init?(_ object: JSONObject, memberID: String) {
    guard let topic = object["topic"]?.string,
      let number = object["partition"]?.number?.int64.flatMap(Int32.init(exactly:))
    else { return nil }
    self.init(
      partition: TopicPartition(topic, number), committed: object["committed"]?.number?.int64,
      end: object["end"]?.number?.int64, lag: object["lag"]?.number?.int64, memberID: memberID)
  }
}

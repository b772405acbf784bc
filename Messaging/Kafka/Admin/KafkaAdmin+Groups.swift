internal import CRDKafka
import Messaging

extension KafkaAdmin {
  /// A group's committed offsets, whether it has members or not; the question joins nothing.
  ///
  /// By a client that bears the group's name without joining it: librdkafka's `ListConsumerGroupOffsets` ends the process
  /// (an assertion in `rd_kafka_enq_once_del_source_return`, 2.0.2) when it has timed out and the group's coordinator
  /// comes back after that.
  public func committed(
    group: String, partitions: [TopicPartition], timeout: Duration
  ) throws -> [TopicPartition: Int64] {
    guard !partitions.isEmpty else { return [:] }
    do {
      return try client(of: group).committed(Array(Set(partitions)), timeout: timeout).compactMapValues { $0 }
    } catch let error as BrokerError where error.name == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND.name {
      // Some brokers answer so for a group that has never committed, where others have no offsets for it.
      return [:]
    }
  }

  /// Every offset that a group has committed on the topics there are.
  public func committed(group: String, timeout: Duration) throws -> [TopicPartition: Int64] {
    let partitions = try topics(timeout: timeout).flatMap { topic, count in
      (0..<Int32(clamping: count)).map { TopicPartition(topic, $0) }
    }
    return try committed(group: group, partitions: partitions, timeout: timeout)
  }

  /// Every group of the cluster, sorted by name.
  public func listGroups(timeout: Duration) throws -> [GroupListing] {
    try groups(named: nil, timeout: timeout) { GroupListing(name: $0.name, state: $0.state) }
      .sorted { $0.name < $1.name }
  }

  /// Who is in a group, and who has what. A group that nobody has heard of is `Dead` and has no members.
  public func describeGroup(_ name: String, timeout: Duration) throws -> GroupDescription {
    try groups(named: name, timeout: timeout) { $0 }.first
      ?? GroupDescription(name: name, state: "Dead", assignor: "", coordinator: nil, members: [])
  }

  /// Asks every broker for the groups it looks after.
  ///
  /// By librdkafka's older call: its `DescribeConsumerGroups` ends the process (an assertion) when the broker does not
  /// know the request, as the embedded one does not (2.0.2, `rd_kafka_admin_coord_request`).
  private func groups<Result>(
    named name: String?, timeout: Duration, _ read: (GroupDescription) -> Result
  ) throws -> [Result] {
    try client().withPointer { client in
      var list: UnsafePointer<rd_kafka_group_list>?
      let code = rd_kafka_list_groups(client, name, &list, timeout.milliseconds)
      defer { if let list { rd_kafka_group_list_destroy(list) } }
      guard !code.isFailure, let list else {
        throw BrokerError(code, detail: "asking for groups: \(code.explanation)")
      }
      return try (0..<Int(list.pointee.group_cnt)).map { index in
        let group = list.pointee.groups[index]
        guard !group.err.isFailure else {
          throw BrokerError(group.err, detail: "asking for groups: \(text(group.group)): \(group.err.explanation)")
        }
        return read(GroupDescription(group))
      }
    }
  }

  /// Moves a group that has no members: each partition goes on at the offset given.
  ///
  /// - Throws: ``BrokerError`` while the group has members (`UNKNOWN_MEMBER_ID` or `NON_EMPTY_GROUP`).
  public func alterGroupOffsets(
    group: String, to offsets: [TopicPartition: Int64], timeout: Duration
  ) throws {
    guard !offsets.isEmpty else { return }
    let list = PartitionList(offsets)
    var requests: [OpaquePointer?] = [list.withPointer { rd_kafka_AlterConsumerGroupOffsets_new(group, $0) }]
    defer { rd_kafka_AlterConsumerGroupOffsets_destroy_array(&requests, requests.count) }
    try request("moving \(group)", RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS, timeout: timeout) {
      rd_kafka_AlterConsumerGroupOffsets($0, &requests, requests.count, $1, $2)
    } read: { answer in
      let results = elements {
        rd_kafka_AlterConsumerGroupOffsets_result_groups(rd_kafka_event_AlterConsumerGroupOffsets_result(answer), $0)
      }
      _ = try Self.offsets(in: results, "moving \(group)")
    }
  }

  private static func offsets(
    in results: [OpaquePointer], _ action: String
  ) throws(BrokerError) -> [TopicPartition: Int64] {
    var offsets: [TopicPartition: Int64] = [:]
    for result in results {
      if let error = rd_kafka_group_result_error(result) {
        throw BrokerError(reading: error, doing: action)
      }
      for entry in PartitionList.entries(of: rd_kafka_group_result_partitions(result)) {
        guard !entry.error.isFailure else {
          throw BrokerError(entry.error, detail: "\(action): \(entry.partition): \(entry.error.explanation)")
        }
        if entry.offset >= 0 { offsets[entry.partition] = entry.offset }
      }
    }
    return offsets
  }
}

extension GroupDescription {
  fileprivate init(_ group: rd_kafka_group_info) {
    let members = (0..<Int(group.member_cnt)).map { Member(group.members[$0]) }
    self.init(
      name: text(group.group), state: text(group.state), assignor: text(group.protocol),
      coordinator: group.broker.host.map { "\(String(cString: $0)):\(group.broker.port)" },
      members: members.sorted { $0.id < $1.id })
  }
}

extension GroupDescription.Member {
  fileprivate init(_ member: rd_kafka_group_member_info) {
    let assignment = UnsafeRawBufferPointer(
      start: member.member_assignment, count: Int(member.member_assignment_size))
    self.init(
      id: text(member.member_id), clientID: text(member.client_id), host: text(member.client_host),
      assignment: MemberAssignment.partitions(in: Array(assignment)).sorted())
  }
}

private func text(_ text: UnsafePointer<CChar>?) -> String {
  text.map { String(cString: $0) } ?? ""
}

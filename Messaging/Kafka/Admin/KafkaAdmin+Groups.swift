internal import CRDKafka
import Messaging

extension KafkaAdmin {
  /// A group's committed offsets, whether it has members or not; the question joins nothing.
  public func committed(
    group: String, partitions: [TopicPartition], timeout: Duration
  ) throws -> [TopicPartition: Int64] {
    guard !partitions.isEmpty else { return [:] }
    let list = PartitionList(Set(partitions))
    return try committed(group: group, list: list.pointer, timeout: timeout)
  }

  /// Every offset that a group has committed.
  public func committed(group: String, timeout: Duration) throws -> [TopicPartition: Int64] {
    try committed(group: group, list: nil, timeout: timeout)
  }

  private func committed(
    group: String, list: UnsafePointer<rd_kafka_topic_partition_list_t>?, timeout: Duration
  ) throws -> [TopicPartition: Int64] {
    var requests: [OpaquePointer?] = [rd_kafka_ListConsumerGroupOffsets_new(group, list)]
    defer { rd_kafka_ListConsumerGroupOffsets_destroy_array(&requests, requests.count) }
    return try request(
      "reading the offsets of \(group)", RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, timeout: timeout
    ) {
      rd_kafka_ListConsumerGroupOffsets($0, &requests, requests.count, $1, $2)
    } read: { answer in
      let results = elements {
        rd_kafka_ListConsumerGroupOffsets_result_groups(rd_kafka_event_ListConsumerGroupOffsets_result(answer), $0)
      }
      return try Self.offsets(in: results, "reading the offsets of \(group)")
    }
  }

  /// Every group of the cluster, sorted by name.
  public func listGroups(timeout: Duration) throws -> [GroupListing] {
    try request("listing groups", RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS, timeout: timeout) {
      rd_kafka_ListConsumerGroups($0, $1, $2)
    } read: { answer in
      let result = rd_kafka_event_ListConsumerGroups_result(answer)
      let listings = elements { rd_kafka_ListConsumerGroups_result_valid(result, $0) }
      if let error = elements({ rd_kafka_ListConsumerGroups_result_errors(result, $0) }).first {
        throw BrokerError(reading: error, doing: "listing groups")
      }
      return listings.map(GroupListing.init).sorted { $0.name < $1.name }
    }
  }

  /// Who is in a group, and who has what.
  public func describeGroup(_ name: String, timeout: Duration) throws -> GroupDescription {
    try name.withCString { cName in
      var names: [UnsafePointer<CChar>?] = [cName]
      return try request("describing \(name)", RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, timeout: timeout) {
        rd_kafka_DescribeConsumerGroups($0, &names, names.count, $1, $2)
      } read: { answer in
        let result = rd_kafka_event_DescribeConsumerGroups_result(answer)
        guard let group = elements({ rd_kafka_DescribeConsumerGroups_result_groups(result, $0) }).first else {
          throw BrokerError(RD_KAFKA_RESP_ERR__UNKNOWN_GROUP, detail: "describing \(name): no answer for it")
        }
        if let error = rd_kafka_ConsumerGroupDescription_error(group) {
          throw BrokerError(reading: error, doing: "describing \(name)")
        }
        return GroupDescription(group)
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
    var requests: [OpaquePointer?] = [rd_kafka_AlterConsumerGroupOffsets_new(group, list.pointer)]
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

extension GroupListing {
  fileprivate init(_ listing: OpaquePointer) {
    self.init(
      name: rd_kafka_ConsumerGroupListing_group_id(listing).map { String(cString: $0) } ?? "",
      state: stateName(rd_kafka_ConsumerGroupListing_state(listing)))
  }
}

extension GroupDescription {
  fileprivate init(_ group: OpaquePointer) {
    let members = (0..<rd_kafka_ConsumerGroupDescription_member_count(group)).compactMap {
      rd_kafka_ConsumerGroupDescription_member(group, $0).map(Member.init)
    }
    let assignor = rd_kafka_ConsumerGroupDescription_partition_assignor(group)
    self.init(
      name: rd_kafka_ConsumerGroupDescription_group_id(group).map { String(cString: $0) } ?? "",
      state: stateName(rd_kafka_ConsumerGroupDescription_state(group)),
      assignor: assignor.map { String(cString: $0) } ?? "",
      coordinator: rd_kafka_ConsumerGroupDescription_coordinator(group).flatMap { node in
        rd_kafka_Node_host(node).map { "\(String(cString: $0)):\(rd_kafka_Node_port(node))" }
      },
      members: members.sorted { $0.id < $1.id })
  }
}

extension GroupDescription.Member {
  fileprivate init(_ member: OpaquePointer) {
    let assignment = rd_kafka_MemberDescription_assignment(member)
      .map { PartitionList.entries(of: rd_kafka_MemberAssignment_partitions($0)).map(\.partition) }
    self.init(
      id: rd_kafka_MemberDescription_consumer_id(member).map { String(cString: $0) } ?? "",
      clientID: rd_kafka_MemberDescription_client_id(member).map { String(cString: $0) } ?? "",
      host: rd_kafka_MemberDescription_host(member).map { String(cString: $0) } ?? "",
      assignment: (assignment ?? []).sorted())
  }
}

private func stateName(_ state: rd_kafka_consumer_group_state_t) -> String {
  rd_kafka_consumer_group_state_name(state).map { String(cString: $0) } ?? "Unknown"
}

internal import CRDKafka
import Messaging

extension KafkaAdmin {
  /// Creates what is missing. Asks only for that, so nothing missing is success also where topics cannot be created.
  ///
  /// - Throws: ``BrokerError`` of the first topic that was refused; the others are created all the same.
  public func createTopics(_ topics: [TopicSpecification], timeout: Duration) throws {
    let deadline = Deadline(after: timeout)
    let present = try metadata(timeout: timeout)
    let missing = topics.filter { present[$0.name] == nil }
    guard !missing.isEmpty else { return }
    try requireController(timeout: deadline.remaining)
    var requests: [OpaquePointer?] = try missing.map { try $0.makeRequest() }
    defer { rd_kafka_NewTopic_destroy_array(&requests, requests.count) }
    try request("creating topics", RD_KAFKA_ADMIN_OP_CREATETOPICS, timeout: deadline.remaining) {
      rd_kafka_CreateTopics($0, &requests, requests.count, $1, $2)
    } read: { answer in
      let results = elements { rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(answer), $0) }
      try Self.check(results, "creating", except: RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
    }
  }

  /// - Throws: ``BrokerError`` of the first topic that was refused, also when it does not exist.
  public func deleteTopics(_ topics: [String], timeout: Duration) throws {
    guard !topics.isEmpty else { return }
    let deadline = Deadline(after: timeout)
    try requireController(timeout: timeout)
    var requests: [OpaquePointer?] = topics.map { rd_kafka_DeleteTopic_new($0) }
    defer { rd_kafka_DeleteTopic_destroy_array(&requests, requests.count) }
    try request("deleting topics", RD_KAFKA_ADMIN_OP_DELETETOPICS, timeout: deadline.remaining) {
      rd_kafka_DeleteTopics($0, &requests, requests.count, $1, $2)
    } read: { answer in
      let results = elements { rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(answer), $0) }
      try Self.check(results, "deleting")
    }
  }

  /// Partitions with their leaders, replicas and offsets, and the topic's settings where the broker tells them.
  ///
  /// - Throws: ``BrokerError`` named `UNKNOWN_TOPIC_OR_PART` for a topic that is not there.
  public func describeTopic(_ name: String, timeout: Duration) throws -> TopicDescription {
    let deadline = Deadline(after: timeout)
    guard var partitions = try metadata(timeout: timeout)[name] else {
      throw BrokerError(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, detail: "there is no topic \(name)")
    }
    for index in partitions.indices where partitions[index].leader != nil {
      let partition = TopicPartition(name, partitions[index].id)
      guard let (start, end) = try? watermarks(of: partition, timeout: deadline.remaining) else { continue }
      partitions[index].start = start
      partitions[index].end = end
    }
    return TopicDescription(
      name: name, partitions: partitions, settings: try settings(of: name, timeout: deadline.remaining))
  }

  /// For each partition the offset of its first record at or after a time, in milliseconds since 1970; the log's end
  /// where there is none so late.
  ///
  /// - Throws: ``BrokerError`` of kind ``BrokerError/Kind/unsupported`` where the broker cannot look up by time.
  public func offsets(
    forTimes times: [TopicPartition: Int64], timeout: Duration
  ) throws -> [TopicPartition: Int64] {
    let deadline = Deadline(after: timeout)
    let client = try client()
    return try times.reduce(into: [:]) { result, entry in
      let (partition, time) = entry
      if let offset = try client.offset(at: time, of: partition, timeout: deadline.remaining) {
        result[partition] = offset
        return
      }
      let (start, end) = try client.watermarks(of: partition, timeout: deadline.remaining)
      // A broker that finds nothing since 1970 in a log that has records does not look at times at all.
      if start < end, try client.offset(at: 0, of: partition, timeout: deadline.remaining) == nil {
        throw BrokerError(
          RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE, detail: "this broker does not look offsets up by time")
      }
      result[partition] = end
    }
  }

  private func settings(of topic: String, timeout: Duration) throws -> [TopicDescription.Setting]? {
    var resources: [OpaquePointer?] = [rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic)]
    defer { rd_kafka_ConfigResource_destroy_array(&resources, resources.count) }
    do {
      try requireController(timeout: timeout)
      return try request("describing \(topic)", RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, timeout: timeout) {
        rd_kafka_DescribeConfigs($0, &resources, resources.count, $1, $2)
      } read: { answer in
        let described = elements {
          rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(answer), $0)
        }
        return try described.flatMap { resource in
          let code = rd_kafka_ConfigResource_error(resource)
          guard !code.isFailure else { throw BrokerError(code, detail: "describing \(topic): \(code.explanation)") }
          return elements { rd_kafka_ConfigResource_configs(resource, $0) }.map(TopicDescription.Setting.init)
        }
        .sorted { $0.name < $1.name }
      }
    } catch let error as BrokerError where error.kind == .unsupported {
      return nil
    }
  }

  private static func check(
    _ results: [OpaquePointer], _ action: String, except: rd_kafka_resp_err_t = RD_KAFKA_RESP_ERR_NO_ERROR
  ) throws(BrokerError) {
    for result in results {
      let code = rd_kafka_topic_result_error(result)
      guard code.isFailure, code != except else { continue }
      let topic = rd_kafka_topic_result_name(result).map { String(cString: $0) } ?? "a topic"
      let reason = rd_kafka_topic_result_error_string(result).map { String(cString: $0) } ?? code.explanation
      throw BrokerError(code, detail: "\(action) \(topic): \(reason)")
    }
  }
}

extension TopicSpecification {
  /// A `rd_kafka_NewTopic_t`, which the caller owns.
  fileprivate func makeRequest() throws(BrokerError) -> OpaquePointer {
    let (made, reason) = withErrorText {
      rd_kafka_NewTopic_new(name, Int32(clamping: partitions), Int32(clamping: replicationFactor), $0, $1)
    }
    guard let request = made else {
      throw BrokerError(RD_KAFKA_RESP_ERR__INVALID_ARG, detail: "the topic \(name) cannot be: \(reason)")
    }
    for (setting, value) in configuration {
      rd_kafka_NewTopic_set_config(request, setting, value)
    }
    return request
  }
}

extension TopicDescription.Setting {
  fileprivate init(_ entry: OpaquePointer) {
    self.init(
      name: rd_kafka_ConfigEntry_name(entry).map { String(cString: $0) } ?? "",
      value: rd_kafka_ConfigEntry_value(entry).map { String(cString: $0) },
      isDefault: rd_kafka_ConfigEntry_is_default(entry) != 0)
  }
}

extension Client {
  /// Nil where there is no record at or after the time.
  fileprivate func offset(at time: Int64, of partition: TopicPartition, timeout: Duration) throws -> Int64? {
    let list = PartitionList([partition: time])
    let code = call(with: list) { rd_kafka_offsets_for_times($0, $1, timeout.milliseconds) }
    let entry = list.entries.first
    let failure = code.isFailure ? code : entry?.error ?? RD_KAFKA_RESP_ERR__FAIL
    guard !failure.isFailure else {
      throw BrokerError(failure, detail: "looking \(partition) up by time: \(failure.explanation)")
    }
    return entry.flatMap { $0.offset >= 0 ? $0.offset : nil }
  }
}

import Foundation
import WireFormat

extension DeadLetter {
  /// The outbox event id of this dead letter's publication: one per group, event and number of redrives.
  public var publicationID: String { "\(consumerGroup)/\(eventID)/\(redrives)" }

  /// What is published to the dead letter topic, as the contract's section 5 shows it: the record as JSON where it is
  /// JSON, its exact bytes in base64, and how it came to be here. The key is the original's.
  ///
  /// Never larger than `maximumBytes` (key, value and headers together) as long as the original record was not: the JSON
  /// form goes first, then the base64, then the original's headers and key, and `truncated` says that something went.
  public func outboxMessage(maximumBytes: Int) -> OutboxMessage {
    let headers = publicationHeaders
    let overhead =
      (record.key?.count ?? 0) + headers.reduce(0) { $0 + $1.name.utf8.count + ($1.value?.count ?? 0) }
      + Self.framingBytes
    let room = maximumBytes - overhead
    var value = DeadLetterJSON(self, keeping: .everything).jsonBytes
    for form in DeadLetterJSON.Form.allCases.dropFirst() where value.count > room {
      value = DeadLetterJSON(self, keeping: form).jsonBytes
    }
    return OutboxMessage(
      eventID: publicationID, eventType: Self.publicationType,
      message: OutgoingMessage(topic: "\(record.topic)-dlq", key: record.key, value: value, headers: headers))
  }

  /// `ce_type` of a published dead letter.
  public static let publicationType = "DEAD_LETTER"

  /// Room for what Kafka's record format adds: lengths, offsets, a batch header.
  private static let framingBytes = 512

  private var publicationHeaders: [Header] {
    var headers = [
      Header("ce_specversion", "1.0"),
      Header("ce_id", publicationID),
      Header("ce_type", Self.publicationType),
      Header("ce_source", consumerGroup),
      Header("ce_time", failedAt.rfc3339),
      Header("content-type", "application/json"),
      Header("dlq_event_id", eventID),
      Header("dlq_consumer_group", consumerGroup),
      Header("dlq_original_topic", record.topic),
      Header("dlq_original_partition", String(record.topicPartition.partition)),
      Header("dlq_original_offset", String(record.offset)),
      Header("dlq_error", error.truncated(toBytes: 256)),
      Header("dlq_attempts", String(attempts)),
      Header("dlq_redrives", String(redrives)),
    ]
    if let trace = record.packedHeaders.last(TraceContext.headerName) ?? nil, trace.count <= 128 {
      headers.append(Header(name: TraceContext.headerName, value: trace))
    }
    return headers
  }
}

/// The JSON of a dead letter, with as much of the original as there is room for.
private struct DeadLetterJSON: JSONEncodable {
  enum Form: Int, Comparable, CaseIterable {
    case everything, withoutMessage, withoutBytes, withoutHeadersAndKey

    static func < (left: Form, right: Form) -> Bool { left.rawValue < right.rawValue }
  }

  private let deadLetter: DeadLetter
  private let form: Form

  init(_ deadLetter: DeadLetter, keeping form: Form) {
    self.deadLetter = deadLetter
    self.form = form
  }

  func write(to json: inout JSONWriter) {
    let record = deadLetter.record
    let key = form < .withoutHeadersAndKey ? record.key : nil
    json.object { json in
      json.member("original_message", raw: originalMessage ?? Array("null".utf8))
      json.member("original_message_base64", form < .withoutBytes ? record.value.map(base64) : nil)
      json.member("error", deadLetter.error.truncated(toBytes: 4_096))
      json.member("original_topic", record.topic)
      json.member("original_partition", Int64(record.topicPartition.partition))
      json.member("original_offset", record.offset)
      json.member("original_key", key.flatMap { String(validating: $0, as: UTF8.self) })
      json.member("original_key_base64", key.map(base64))
      json.member("original_headers", form < .withoutHeadersAndKey ? record.headers.map(HeaderJSON.init) : [])
      json.member("consumer_group", deadLetter.consumerGroup)
      json.member("attempts", deadLetter.attempts)
      json.member("redrives", deadLetter.redrives)
      json.member("event_id", deadLetter.eventID)
      json.member("failed_at", deadLetter.failedAt)
      if form > .everything { json.member("truncated", true) }
    }
  }

  /// The value's own bytes where they are one JSON value: nothing is rounded, reordered or dropped on the way.
  private var originalMessage: [UInt8]? {
    guard form == .everything, let value = deadLetter.record.value, (try? JSONElement(parsing: value)) != nil else {
      return nil
    }
    return value
  }
}

private struct HeaderJSON: JSONEncodable {
  let header: Header

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("key", header.name)
      json.member("value", header.value.flatMap { String(validating: $0, as: UTF8.self) })
      json.member("value_base64", header.value.map(base64))
    }
  }
}

private func base64(_ bytes: [UInt8]) -> String {
  Data(bytes).base64EncodedString()
}

extension String {
  /// The longest beginning of at most `limit` bytes that does not cut a character.
  func truncated(toBytes limit: Int) -> String {
    guard utf8.count > limit else { return self }
    var end = utf8.index(utf8.startIndex, offsetBy: limit)
    while end > startIndex, end.samePosition(in: unicodeScalars) == nil { end = utf8.index(before: end) }
    return String(self[..<end])
  }
}

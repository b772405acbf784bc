import Foundation
import Messaging
import MessagingSQLite
import WireFormat

/// A dead letter, without the record's content.
struct DeadLetterJSON: JSONEncodable {
  var letter: DeadLetterEntry

  init(_ letter: DeadLetterEntry) { self.letter = letter }

  func write(to json: inout JSONWriter) {
    json.object { writeMembers(to: &$0) }
  }

  fileprivate func writeMembers(to json: inout JSONWriter) {
    json.member("id", letter.id)
    json.member("status", letter.status.rawValue)
    json.member("consumer_group", letter.consumerGroup)
    json.member("event_id", letter.eventID)
    json.member("event_type", letter.eventType)
    json.member("order_id", letter.key)
    json.member("order_version", letter.version)
    json.member("original_topic", letter.topicPartition.topic)
    json.member("original_partition", letter.topicPartition.partition)
    json.member("original_offset", letter.offset)
    json.member("original_key", letter.recordKey.map { String(decoding: $0, as: UTF8.self) })
    json.member("value_bytes", letter.valueSize)
    json.member("error", letter.error)
    json.member("attempts", letter.attempts)
    json.member("redrives", letter.redrives)
    json.member("failed_at", letter.failedAt)
    json.member("resolved_at", letter.resolvedAt)
    json.member("reason", letter.reason)
  }
}

/// `GET /dead-letters/{id}`: all that is known of one, with the exact record.
struct DeadLetterDetailJSON: JSONEncodable {
  var detail: DeadLetterDetail

  func write(to json: inout JSONWriter) {
    let record = detail.record
    json.object { json in
      DeadLetterJSON(detail.entry).writeMembers(to: &json)
      json.member("original_timestamp", record.timestamp.map { Timestamp(millisecondsSinceEpoch: $0) })
      json.member("original_message", raw: Self.json(record.value) ?? Array("null".utf8))
      json.member("original_message_base64", record.value.map(Self.base64))
      json.member("original_key_base64", record.key.map(Self.base64))
      json.member(
        "original_headers",
        array: { json in
          for header in record.headers {
            json.object { json in
              json.member("key", header.name)
              json.member("value", header.value.flatMap { String(validating: $0, as: UTF8.self) })
              json.member("value_base64", header.value.map(Self.base64))
            }
          }
        })
      json.member("parked", detail.parkedBehind.map(ParkedJSON.init))
      json.member("parked_count", detail.parkedBehindCount)
      json.member("audit", detail.audit.map(DeadLetterAuditJSON.init))
    }
  }

  /// The value's own bytes where they are one JSON value.
  private static func json(_ value: [UInt8]?) -> [UInt8]? {
    guard let value, (try? JSONElement(parsing: value)) != nil else { return nil }
    return value
  }

  private static func base64(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }
}

/// What somebody did about a dead letter.
private struct DeadLetterAuditJSON: JSONEncodable {
  var audit: DeadLetterAudit

  init(_ audit: DeadLetterAudit) { self.audit = audit }

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("at", audit.at)
      json.member("action", audit.action.rawValue)
      json.member("outcome", audit.outcome.rawValue)
      json.member("requester", audit.requester.name)
      json.member("reason", audit.requester.reason)
      json.member("detail", audit.detail)
    }
  }
}

/// What came of a redrive or a discard, and how the dead letter is now.
struct DeadLetterAnswer: JSONEncodable {
  var outcome: String
  var letter: DeadLetterEntry

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("outcome", outcome)
      json.member("dead_letter", DeadLetterJSON(letter))
    }
  }
}

/// What came of giving up a gap.
struct GapAnswer: JSONEncodable {
  var key: String
  var outcome: GapDiscardOutcome

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("order_id", key)
      if case .discarded(let versions) = outcome {
        json.member("outcome", "discarded")
        json.member("first_version", versions.lowerBound)
        json.member("last_version", versions.upperBound)
      } else {
        json.member("outcome", "nothing_missing")
      }
    }
  }
}

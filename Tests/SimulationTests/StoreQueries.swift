import Foundation
import GRDB
import Messaging
import MessagingSQLite

/// A row of an outbox, as far as promises are about it.
struct ToldRow {
  let eventID: String
  let eventType: String
  let topic: String
  let key: String?
  let value: [UInt8]
  let isPublished: Bool
  /// Publishes a dead letter, and its status; nil for an event.
  let deadLetterStatus: String?
}

/// A dead letter, as far as promises are about it.
struct KeptDeadLetter {
  let id: Int64
  let status: String
  let eventID: String
  let key: String?
  let error: String
  let isHopeless: Bool
}

/// What checks want to know of a store.
extension SimulatedServiceRole {
  func rows<Value: Sendable>(
    _ sql: String, _ arguments: StatementArguments = [], _ read: (Row) -> Value
  ) throws -> [Value] {
    try database.readBlocking { try Row.fetchAll($0, sql: sql, arguments: arguments).map(read) }
  }

  func number(_ sql: String, _ arguments: StatementArguments = []) throws -> Int64 {
    try rows(sql, arguments) { $0[0] as Int64 }.first ?? 0
  }

  func outbox() throws -> [ToldRow] {
    try rows(
      """
      SELECT event_id, event_type, topic, message_key, message_value, published_at IS NOT NULL,
        (SELECT status FROM dead_letters WHERE id = dead_letter_id)
      FROM outbox ORDER BY sequence
      """
    ) { row in
      ToldRow(
        eventID: row[0], eventType: row[1], topic: row[2],
        key: (row[3] as Data?).map { String(decoding: $0, as: UTF8.self) },
        value: (row[4] as Data?).map { [UInt8]($0) } ?? [],
        isPublished: row[5], deadLetterStatus: row[6])
    }
  }

  /// Numbers of messages that wait and are published, or neither; and of such states without a message.
  func outboxRowsNeitherWaitingNorPublished() throws -> [Int64] {
    try rows(
      """
      WITH states AS (SELECT sequence FROM outbox_pending UNION ALL SELECT sequence FROM outbox_publications)
      SELECT sequence FROM (SELECT sequence, 1 AS rows FROM outbox_messages UNION ALL SELECT sequence, -1 FROM states)
      GROUP BY sequence HAVING SUM(rows) <> 0
      """
    ) { $0[0] }
  }

  func deadLetters() throws -> [KeptDeadLetter] {
    try rows("SELECT id, status, event_id, event_key, error, headers FROM dead_letters ORDER BY id") { row in
      let headers = String(decoding: row[5] as Data? ?? Data(), as: UTF8.self)
      let error: String = row[4]
      return KeptDeadLetter(
        id: row[0], status: row[1], eventID: row[2], key: row[3], error: error,
        isHopeless: headers.contains("hopeless") || error.contains("UNKNOWN_ORDER"))
    }
  }
}

extension ConsumedRecord {
  func header(_ name: String) -> String? {
    headers.last { $0.name == name }?.value.map { String(decoding: $0, as: UTF8.self) }
  }

  var textKey: String? { key.map { String(decoding: $0, as: UTF8.self) } }
}

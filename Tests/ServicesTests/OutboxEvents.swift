import EventSchema
import Foundation
import GRDB
import MessagingSQLite

/// What an outbox has to tell, in the order of its publication.
///
/// - Parameter order: nil for every order.
func outboxEvents(of database: SQLiteDatabase, order: OrderID?) async throws -> [Event] {
  let records = try await database.read { database in
    try Row.fetchAll(
      database,
      sql: """
        SELECT message_key, message_value FROM outbox
        \(order == nil ? "" : "WHERE message_key = CAST(? AS BLOB)") ORDER BY sequence
        """, arguments: order.map { [$0.rawValue] } ?? []
    ).map { row in (key: [UInt8](row[0] as Data), value: [UInt8](row[1] as Data)) }
  }
  return try records.map { record in
    guard case .event(let event) = EventCodec.decode(key: record.key, value: record.value) else {
      throw UnexpectedRecord(text: String(decoding: record.value, as: UTF8.self))
    }
    return event
  }
}

struct UnexpectedRecord: Error { let text: String }

import GRDB
import Messaging

/// The outbox read forwards, by who wants to follow what a service tells.
///
/// SQLite has one writer and numbers rows under the write lock, so a row that becomes visible later never has a lower
/// sequence: who goes on behind the last sequence misses nothing. Rows past their retention are gone.
extension SQLiteOutbox {
  /// The sequence of the last row that was ever appended; 0 before the first.
  public static func lastSequence(in database: Database) throws -> Int64 {
    try database.firstRow("SELECT seq FROM sqlite_sequence WHERE name = 'outbox_messages'", []) { $0[0] } ?? 0
  }

  /// At most `limit` rows that were appended to `topic` after the one with `sequence`, in the order of their commits.
  public static func entries(
    toTopic topic: String, after sequence: Int64, limit: Int, in database: Database
  ) throws -> [OutboxEntry] {
    let sql = "SELECT \(OutboxEntry.columns) FROM outbox WHERE sequence > ? AND topic = ? ORDER BY sequence LIMIT ?"
    let rows = try Row.fetchCursor(database.cachedStatement(sql: sql), arguments: [sequence, topic, limit])
    var entries: [OutboxEntry] = []
    while let row = try rows.next() { entries.append(OutboxEntry(row)) }
    return entries
  }
}

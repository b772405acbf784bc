import GRDB
import GRDBSQLite

extension Database {
  /// Reads the rows of a query, without making an object of each. A row is valid inside `read` only.
  ///
  /// - Throws: `DatabaseError`, as GRDB does, and what `read` throws, which ends the reading.
  func forEachRow(_ sql: String, _ arguments: StatementArguments, read: (SQLiteRow) throws -> Void) throws {
    let statement = try cachedStatement(sql: sql)
    try statement.setArguments(arguments)
    defer { sqlite3_reset(statement.sqliteStatement) }
    while true {
      switch sqlite3_step(statement.sqliteStatement) {
      case SQLITE_ROW: try read(SQLiteRow(statement: statement.sqliteStatement))
      case SQLITE_DONE: return
      default:
        throw DatabaseError(
          resultCode: ResultCode(rawValue: sqlite3_extended_errcode(sqliteConnection)),
          message: String(cString: sqlite3_errmsg(sqliteConnection)), sql: sql)
      }
    }
  }
}

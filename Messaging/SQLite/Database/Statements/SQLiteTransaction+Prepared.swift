import GRDB
import GRDBSQLite

/// The short way to SQLite for the statements that every order and event pays for.
///
/// GRDB's way boxes each argument, puts them into an array and looks the statement up by its text: together several times
/// what SQLite itself needs for a row. Here the values are bound as they are. `docs/performance.md` has the figures.
extension SQLiteTransaction {
  /// Carries out a statement that has no rows to give.
  ///
  /// - Parameter values: one for each `?`, in order.
  /// - Returns: how many rows it inserted, changed or deleted.
  /// - Throws: `DatabaseError`, as GRDB does.
  @discardableResult
  public func execute<each Value: SQLiteValue>(_ sql: PreparedSQL, _ values: repeat each Value) throws -> Int {
    let statement = try statements.statement(sql, in: database)
    defer { sqlite3_reset(statement) }
    try bind(repeat each values, to: statement, of: sql)
    var code = sqlite3_step(statement)
    while code == SQLITE_ROW { code = sqlite3_step(statement) }
    guard code == SQLITE_DONE else { throw failure(of: sql) }
    return Int(sqlite3_changes(sqlite3_db_handle(statement)))
  }

  /// Reads the first row of a query; nil where there is none. The row is valid inside `read` only.
  public func first<Result, each Value: SQLiteValue>(
    _ sql: PreparedSQL, _ values: repeat each Value, read: (SQLiteRow) throws -> Result
  ) throws -> Result? {
    let statement = try statements.statement(sql, in: database)
    defer { sqlite3_reset(statement) }
    try bind(repeat each values, to: statement, of: sql)
    switch sqlite3_step(statement) {
    case SQLITE_ROW: return try read(SQLiteRow(statement: statement))
    case SQLITE_DONE: return nil
    default: throw failure(of: sql)
    }
  }

  private func bind<each Value: SQLiteValue>(
    _ values: repeat each Value, to statement: SQLiteStatement, of sql: PreparedSQL
  ) throws {
    var index: Int32 = 0
    for value in repeat each values {
      index += 1
      guard value.bind(to: statement, at: index) == SQLITE_OK else { throw failure(of: sql) }
    }
    guard index == sqlite3_bind_parameter_count(statement) else {
      throw DatabaseError(
        resultCode: .SQLITE_MISUSE,
        message: "\(index) values for \(sqlite3_bind_parameter_count(statement)) parameters",
        sql: sql.text)
    }
  }

  private func failure(of sql: PreparedSQL) -> DatabaseError {
    let connection = database.sqliteConnection
    return DatabaseError(
      resultCode: ResultCode(rawValue: sqlite3_extended_errcode(connection)),
      message: String(cString: sqlite3_errmsg(connection)), sql: sql.text)
  }
}

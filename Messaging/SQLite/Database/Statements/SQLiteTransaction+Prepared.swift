import GRDB
import GRDBSQLite

/// The short way to SQLite for the statements that every order and event pays for.
///
/// GRDB's way boxes each argument, puts them into an array and looks the statement up by its text: together several times
/// what SQLite itself needs for a row. Here the values are bound as they are. `docs/performance.md` has the figures.
///
/// A statement must not be run again while its own rows are being read.
extension SQLiteTransaction {
  /// Carries out a statement that has no rows to give.
  ///
  /// - Parameter values: one for each `?`, in order.
  /// - Returns: how many rows it inserted, changed or deleted.
  /// - Throws: `DatabaseError`, as GRDB does.
  @discardableResult
  public func execute<each Value: SQLiteValue>(_ sql: PreparedSQL, _ values: repeat each Value) throws -> Int {
    try run(sql, repeat each values) { statement in
      var code = sqlite3_step(statement)
      while code == SQLITE_ROW { code = sqlite3_step(statement) }
      guard code == SQLITE_DONE else { throw sql.failure(of: statement) }
      return Int(sqlite3_changes(sqlite3_db_handle(statement)))
    }
  }

  /// Reads the first row of a query; nil where there is none. The row is valid inside `read` only.
  public func first<Result, each Value: SQLiteValue>(
    _ sql: PreparedSQL, _ values: repeat each Value, read: (SQLiteRow) throws -> Result
  ) throws -> Result? {
    try run(sql, repeat each values) { statement in
      switch sqlite3_step(statement) {
      case SQLITE_ROW: return try read(SQLiteRow(statement: statement))
      case SQLITE_DONE: return nil
      default: throw sql.failure(of: statement)
      }
    }
  }

  /// Reads the rows of a query one after another. Each is valid inside `read` only.
  public func forEach<each Value: SQLiteValue>(
    _ sql: PreparedSQL, _ values: repeat each Value, read: (SQLiteRow) throws -> Void
  ) throws {
    try run(sql, repeat each values) { statement in
      while true {
        switch sqlite3_step(statement) {
        case SQLITE_ROW: try read(SQLiteRow(statement: statement))
        case SQLITE_DONE: return
        default: throw sql.failure(of: statement)
        }
      }
    }
  }

  /// What `read` makes of each row of a query, in the query's order.
  public func all<Element, each Value: SQLiteValue>(
    _ sql: PreparedSQL, _ values: repeat each Value, read: (SQLiteRow) throws -> Element
  ) throws -> [Element] {
    var elements: [Element] = []
    try forEach(sql, repeat each values) { elements.append(try read($0)) }
    return elements
  }

  /// The row that the last INSERT which inserted one has made, in a table with row ids.
  public var lastInsertedRowID: Int64 { sqlite3_last_insert_rowid(database.sqliteConnection) }

  private func run<Result, each Value: SQLiteValue>(
    _ sql: PreparedSQL, _ values: repeat each Value, body: (SQLiteStatement) throws -> Result
  ) throws -> Result {
    let statement = try statements.statement(sql, in: database)
    // After a full disk, say, SQLite ends the transaction by itself. What comes then must not be committed on its own.
    guard sqlite3_get_autocommit(sqlite3_db_handle(statement)) == 0 else {
      throw DatabaseError(resultCode: .SQLITE_ABORT, message: "Transaction was aborted", sql: sql.text)
    }
    let room = statements.room
    let used = room.used
    defer {
      sqlite3_reset(statement)
      room.used = used
    }
    try sql.bind(repeat each values, to: statement, room: room)
    return try body(statement)
  }
}

extension PreparedSQL {
  func bind<each Value: SQLiteValue>(
    _ values: repeat each Value, to statement: SQLiteStatement, room: ValueRoom?
  ) throws {
    var parameters = SQLiteParameters(of: statement, room: room)
    repeat (each values).bind(to: &parameters)
    guard parameters.code == SQLITE_OK || parameters.code == SQLITE_RANGE else { throw failure(of: statement) }
    guard parameters.count == sqlite3_bind_parameter_count(statement) else {
      throw DatabaseError(
        resultCode: .SQLITE_MISUSE,
        message: "\(parameters.count) values for \(sqlite3_bind_parameter_count(statement)) parameters",
        sql: text)
    }
  }

  fileprivate func failure(of statement: SQLiteStatement) -> DatabaseError {
    let connection = sqlite3_db_handle(statement)
    return DatabaseError(
      resultCode: ResultCode(rawValue: sqlite3_extended_errcode(connection)),
      message: String(cString: sqlite3_errmsg(connection)), sql: text)
  }
}

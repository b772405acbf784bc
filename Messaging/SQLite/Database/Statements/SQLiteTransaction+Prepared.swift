import GRDB
import GRDBSQLite

/// The short way to SQLite for the statements that every order and event pays for.
///
/// GRDB's way boxes each argument, puts them into an array and looks the statement up by its text: together several times
/// what SQLite itself needs for a row. Here the values are bound as they are. `docs/performance.md` has the figures.
///
/// What takes values of any number and type is inlined into its caller, which knows them: in another module it would ask
/// the runtime for the types of a list of values each time.
///
/// A statement must not be run again while its own rows are being read.
extension SQLiteTransaction {
  /// Carries out a statement that has no rows to give.
  ///
  /// - Parameter values: one for each `?`, in order.
  /// - Returns: how many rows it inserted, changed or deleted.
  /// - Throws: `DatabaseError`, as GRDB does.
  @discardableResult @inlinable
  public func execute<each Value: SQLiteValue>(_ sql: PreparedSQL, _ values: repeat each Value) throws -> Int {
    try execute(sql) { repeat (each values).bind(to: &$0) }
  }

  /// Reads the first row of a query; nil where there is none. The row is valid inside `read` only.
  @inlinable
  public func first<Result, each Value: SQLiteValue>(
    _ sql: PreparedSQL, _ values: repeat each Value, read: (SQLiteRow) throws -> Result
  ) throws -> Result? {
    var result: Result?
    try forRows(of: sql) {
      repeat (each values).bind(to: &$0)
    } read: {
      result = try read($0)
      return false
    }
    return result
  }

  /// Reads the rows of a query one after another. Each is valid inside `read` only.
  @inlinable
  public func forEach<each Value: SQLiteValue>(
    _ sql: PreparedSQL, _ values: repeat each Value, read: (SQLiteRow) throws -> Void
  ) throws {
    try forRows(of: sql) {
      repeat (each values).bind(to: &$0)
    } read: {
      try read($0)
      return true
    }
  }

  /// What `read` makes of each row of a query, in the query's order.
  @inlinable
  public func all<Element, each Value: SQLiteValue>(
    _ sql: PreparedSQL, _ values: repeat each Value, read: (SQLiteRow) throws -> Element
  ) throws -> [Element] {
    var elements: [Element] = []
    try forEach(sql, repeat each values) { elements.append(try read($0)) }
    return elements
  }

  /// The row that the last INSERT which inserted one has made, in a table with row ids.
  public var lastInsertedRowID: Int64 { sqlite3_last_insert_rowid(database.sqliteConnection) }

  @usableFromInline
  func execute(_ sql: PreparedSQL, bind: (inout SQLiteParameters) -> Void) throws -> Int {
    try run(sql, bind) { statement in
      var code = sqlite3_step(statement)
      while code == SQLITE_ROW { code = sqlite3_step(statement) }
      guard code == SQLITE_DONE else { throw sql.failure(of: statement) }
      return Int(sqlite3_changes(sqlite3_db_handle(statement)))
    }
  }

  /// - Parameter read: returns whether to go on with the next row.
  @usableFromInline
  func forRows(
    of sql: PreparedSQL, bind: (inout SQLiteParameters) -> Void, read: (SQLiteRow) throws -> Bool
  ) throws {
    try run(sql, bind) { statement in
      while true {
        switch sqlite3_step(statement) {
        case SQLITE_ROW: guard try read(SQLiteRow(statement: statement)) else { return }
        case SQLITE_DONE: return
        default: throw sql.failure(of: statement)
        }
      }
    }
  }

  private func run<Result>(
    _ sql: PreparedSQL, _ bind: (inout SQLiteParameters) -> Void, body: (SQLiteStatement) throws -> Result
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
    try sql.bind(to: statement, room: room, bind)
    return try body(statement)
  }
}

extension PreparedSQL {
  func bind(
    to statement: SQLiteStatement, room: ValueRoom?, _ bind: (inout SQLiteParameters) -> Void
  ) throws {
    var parameters = SQLiteParameters(of: statement, room: room)
    bind(&parameters)
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

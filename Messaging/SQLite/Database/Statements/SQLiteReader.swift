import GRDB
import GRDBSQLite

/// Where a ``PreparedSQL`` can be asked: in the transaction of a write (``SQLiteTransaction``), or on the snapshot of a
/// read (`Database`). So a store's questions are written once.
public protocol SQLiteReader {
  /// Reads the first row of a query; nil where there is none. The row is valid inside `read` only.
  func first<Result, each Value: SQLiteValue>(
    _ sql: PreparedSQL, _ values: repeat each Value, read: (SQLiteRow) throws -> Result
  ) throws -> Result?

  /// What `read` makes of each row of a query, in the query's order.
  func all<Element, each Value: SQLiteValue>(
    _ sql: PreparedSQL, _ values: repeat each Value, read: (SQLiteRow) throws -> Element
  ) throws -> [Element]
}

extension SQLiteTransaction: SQLiteReader {}

extension Database: SQLiteReader {
  public func first<Result, each Value: SQLiteValue>(
    _ sql: PreparedSQL, _ values: repeat each Value, read: (SQLiteRow) throws -> Result
  ) throws -> Result? {
    let rows = SQLiteRows(of: try statement(sql, binding: repeat each values))
    return try withExtendedLifetime(rows) { try rows.next().map(read) }
  }

  public func all<Element, each Value: SQLiteValue>(
    _ sql: PreparedSQL, _ values: repeat each Value, read: (SQLiteRow) throws -> Element
  ) throws -> [Element] {
    let rows = SQLiteRows(of: try statement(sql, binding: repeat each values))
    var elements: [Element] = []
    while let row = try rows.next() { elements.append(try read(row)) }
    return elements
  }

  private func statement<each Value: SQLiteValue>(
    _ sql: PreparedSQL, binding values: repeat each Value
  ) throws -> Statement {
    let statement = try cachedStatement(sql: sql.text)
    try sql.bind(to: statement.sqliteStatement, room: nil) { repeat (each values).bind(to: &$0) }
    return statement
  }
}

/// The rows of a statement whose arguments are set, stepped by GRDB, which knows of cancelled reads. A row is valid until
/// the next is asked for, and no longer than the cursor.
final class SQLiteRows: DatabaseCursor {
  typealias Element = SQLiteRow

  let _statement: Statement
  var _isDone = false

  init(of statement: Statement) { _statement = statement }

  func _element(sqliteStatement: SQLiteStatement) -> SQLiteRow { SQLiteRow(statement: sqliteStatement) }

  deinit { sqlite3_reset(_statement.sqliteStatement) }
}

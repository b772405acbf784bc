import GRDB

extension Database {
  /// Reads the first row of a query, without copying it; nil where there is none.
  ///
  /// The row is valid inside `read` only. `Row.fetchCursor(…).next()` alone does not promise that much: the cursor may be
  /// gone, and its statement reset, before the row's columns are read, and a reset row ends the process.
  public func firstRow<Value>(
    _ sql: String, _ arguments: StatementArguments, _ read: (Row) throws -> Value
  ) throws -> Value? {
    let rows = try Row.fetchCursor(try cachedStatement(sql: sql), arguments: arguments)
    return try withExtendedLifetime(rows) { try rows.next().map(read) }
  }
}

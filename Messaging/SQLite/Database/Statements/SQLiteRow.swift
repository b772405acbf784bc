import GRDB
import GRDBSQLite

/// The row at which a statement stands.
public struct SQLiteRow {
  let statement: SQLiteStatement

  public func isNull(_ column: Int32) -> Bool {
    sqlite3_column_type(statement, column) == SQLITE_NULL
  }

  /// 0 for NULL.
  public func integer(_ column: Int32) -> Int64 {
    sqlite3_column_int64(statement, column)
  }

  public func integerIfAny(_ column: Int32) -> Int64? {
    isNull(column) ? nil : integer(column)
  }

  /// Empty for NULL.
  public func text(_ column: Int32) -> String {
    sqlite3_column_text(statement, column).map {
      String(
        decoding: UnsafeBufferPointer(start: $0, count: Int(sqlite3_column_bytes(statement, column))), as: UTF8.self)
    } ?? ""
  }

  public func textIfAny(_ column: Int32) -> String? {
    isNull(column) ? nil : text(column)
  }

  /// Nil for NULL.
  public func bytes(_ column: Int32) -> [UInt8]? {
    guard !isNull(column) else { return nil }
    let address = sqlite3_column_blob(statement, column)
    return Array(UnsafeRawBufferPointer(start: address, count: Int(sqlite3_column_bytes(statement, column))))
  }
}

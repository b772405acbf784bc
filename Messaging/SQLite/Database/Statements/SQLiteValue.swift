import GRDB
import GRDBSQLite

/// What a `?` of a ``PreparedSQL`` can stand for: integers, text, bytes, and NULL for nil.
public protocol SQLiteValue {
  /// - Returns: SQLite's result code.
  func bind(to statement: SQLiteStatement, at index: Int32) -> Int32
}

extension Int64: SQLiteValue {
  public func bind(to statement: SQLiteStatement, at index: Int32) -> Int32 {
    sqlite3_bind_int64(statement, index, self)
  }
}

extension Int: SQLiteValue {
  public func bind(to statement: SQLiteStatement, at index: Int32) -> Int32 {
    sqlite3_bind_int64(statement, index, Int64(self))
  }
}

extension Int32: SQLiteValue {
  public func bind(to statement: SQLiteStatement, at index: Int32) -> Int32 {
    sqlite3_bind_int64(statement, index, Int64(self))
  }
}

extension String: SQLiteValue {
  public func bind(to statement: SQLiteStatement, at index: Int32) -> Int32 {
    var text = self
    return text.withUTF8 { utf8 in
      utf8.withMemoryRebound(to: CChar.self) { characters in
        // Text of no characters is text all the same: without an address it would be NULL.
        guard let address = characters.baseAddress else { return sqlite3_bind_text(statement, index, "", 0, nil) }
        return sqlite3_bind_text(statement, index, address, Int32(clamping: characters.count), copying)
      }
    }
  }
}

extension [UInt8]: SQLiteValue {
  /// Bytes, also none of them: an empty blob, which is not NULL.
  public func bind(to statement: SQLiteStatement, at index: Int32) -> Int32 {
    guard !isEmpty else { return sqlite3_bind_zeroblob(statement, index, 0) }
    return withUnsafeBytes { bytes in
      sqlite3_bind_blob(statement, index, bytes.baseAddress, Int32(clamping: bytes.count), copying)
    }
  }
}

extension Optional: SQLiteValue where Wrapped: SQLiteValue {
  public func bind(to statement: SQLiteStatement, at index: Int32) -> Int32 {
    self?.bind(to: statement, at: index) ?? sqlite3_bind_null(statement, index)
  }
}

/// SQLITE_TRANSIENT: SQLite copies the value before the call returns. Unsafe in name only: a constant in the shape of a
/// function pointer, which nobody calls or changes.
private nonisolated(unsafe) let copying = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

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

import GRDB
import GRDBSQLite

/// The `?`s of a statement, filled from the left.
public struct SQLiteParameters {
  private let statement: SQLiteStatement
  private let room: ValueRoom?
  /// How many are filled.
  private(set) var count: Int32 = 0
  /// The first result of SQLite's that is not OK.
  private(set) var code = SQLITE_OK

  init(of statement: SQLiteStatement, room: ValueRoom?) {
    self.statement = statement
    self.room = room
  }

  public mutating func addNull() {
    note(sqlite3_bind_null(statement, next()))
  }

  public mutating func add(_ integer: Int64) {
    note(sqlite3_bind_int64(statement, next(), integer))
  }

  /// Text in UTF-8, which is copied.
  public mutating func add(text: UnsafeBufferPointer<UInt8>) {
    let bytes = UnsafeRawBufferPointer(text)
    let index = next()
    // Text of no characters is text all the same: without an address it would be NULL.
    guard !bytes.isEmpty else { return note(sqlite3_bind_text(statement, index, "", 0, nil)) }
    let size = Int32(clamping: bytes.count)
    let copy = room?.copy(bytes)
    let start = (copy ?? bytes.baseAddress)?.assumingMemoryBound(to: CChar.self)
    note(sqlite3_bind_text(statement, index, start, size, copy == nil ? copying : nil))
  }

  /// Bytes, which are copied.
  public mutating func add(bytes: UnsafeRawBufferPointer) {
    let index = next()
    guard !bytes.isEmpty else { return note(sqlite3_bind_zeroblob(statement, index, 0)) }
    let size = Int32(clamping: bytes.count)
    let copy = room?.copy(bytes)
    note(sqlite3_bind_blob(statement, index, copy ?? bytes.baseAddress, size, copy == nil ? copying : nil))
  }

  private mutating func next() -> Int32 {
    count += 1
    return count
  }

  private mutating func note(_ result: Int32) {
    if code == SQLITE_OK { code = result }
  }
}

/// SQLITE_TRANSIENT: SQLite copies the value before the call returns. Unsafe in name only: a constant in the shape of a
/// function pointer, which nobody calls or changes.
private nonisolated(unsafe) let copying = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

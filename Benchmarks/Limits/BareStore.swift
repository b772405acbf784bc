import GRDBSQLite

/// SQLite and nothing else, with the settings of our stores: the least that a statement can cost.
final class BareStore {
  private let connection: OpaquePointer
  private var statements: [BareStatement] = []

  init(path: String) throws {
    var connection: OpaquePointer?
    let code = sqlite3_open(path, &connection)
    guard code == SQLITE_OK, let connection else { throw BareStoreError(code: code) }
    self.connection = connection
    for pragma in ["journal_mode = WAL", "synchronous = FULL", "cache_size = -16384", "wal_autocheckpoint = 4000"] {
      try execute("PRAGMA \(pragma)")
    }
  }

  /// Nothing may be asked of the store or of its statements afterwards.
  func close() {
    for statement in statements { sqlite3_finalize(statement.handle) }
    sqlite3_close(connection)
  }

  func statement(_ sql: String) throws -> BareStatement {
    var handle: OpaquePointer?
    let code = sqlite3_prepare_v2(connection, sql, -1, &handle, nil)
    guard code == SQLITE_OK, let handle else { throw BareStoreError(code: code) }
    let statement = BareStatement(handle: handle)
    statements.append(statement)
    return statement
  }

  /// One synced transaction.
  func transaction(_ body: () throws -> Void) throws {
    try execute("BEGIN IMMEDIATE")
    try body()
    try execute("COMMIT")
  }

  private func execute(_ sql: String) throws {
    let code = sqlite3_exec(connection, sql, nil, nil, nil)
    guard code == SQLITE_OK else { throw BareStoreError(code: code) }
  }
}

enum BareValue {
  case integer(Int)
  case text(String)
  case bytes([UInt8])
}

/// A prepared statement of a ``BareStore``.
struct BareStatement {
  let handle: OpaquePointer

  /// Binds, steps to the end, resets.
  func run(_ values: BareValue...) throws {
    for (position, value) in values.enumerated() { bind(value, at: Int32(position + 1)) }
    var code = sqlite3_step(handle)
    while code == SQLITE_ROW { code = sqlite3_step(handle) }
    sqlite3_reset(handle)
    guard code == SQLITE_DONE else { throw BareStoreError(code: code) }
  }

  private func bind(_ value: BareValue, at index: Int32) {
    switch value {
    case .integer(let number): sqlite3_bind_int64(handle, index, Int64(number))
    case .text(let text): sqlite3_bind_text(handle, index, text, Int32(text.utf8.count), copying)
    case .bytes(let bytes): sqlite3_bind_blob(handle, index, bytes, Int32(bytes.count), copying)
    }
  }
}

struct BareStoreError: Error, CustomStringConvertible {
  let code: Int32

  var description: String { "SQLite: " + String(cString: sqlite3_errstr(code)) }
}

/// SQLITE_TRANSIENT. Unsafe in name only: a constant in the shape of a function pointer, which nobody calls or changes.
private nonisolated(unsafe) let copying = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

import GRDB

/// The prepared statements of the writing connection, and the room for the values bound to them. Belongs to the writer's
/// thread, and has to be gone before the connection is closed.
final class PreparedStatements {
  private var statements: [Statement?] = []
  let room = ValueRoom()

  func statement(_ sql: PreparedSQL, in database: Database) throws -> SQLiteStatement {
    if sql.place < statements.count, let statement = statements[sql.place] { return statement.sqliteStatement }
    let statement = try database.makeStatement(sql: sql.text)
    if sql.place >= statements.count {
      statements += Array(repeating: nil, count: sql.place + 1 - statements.count)
    }
    statements[sql.place] = statement
    return statement.sqliteStatement
  }
}

/// Memory in which bound text and bytes lie while their statement runs: SQLite's own copies would cost an allocation
/// each. Statements end in the reverse order of their beginnings, so it is a stack.
final class ValueRoom {
  private static let size = 1 << 16

  private let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 1)
  /// Where the next value goes. What lies before belongs to statements that run.
  var used = 0

  /// - Returns: where the copy lies until ``used`` goes back; nil where there is no room.
  func copy(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawPointer? {
    guard bytes.count <= Self.size - used, let start = memory.baseAddress, let source = bytes.baseAddress
    else { return nil }
    let place = start + used
    place.copyMemory(from: source, byteCount: bytes.count)
    used += bytes.count
    return UnsafeRawPointer(place)
  }

  deinit {
    memory.deallocate()
  }
}

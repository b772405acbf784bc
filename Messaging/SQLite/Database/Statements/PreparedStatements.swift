import GRDB

/// The prepared statements of the writing connection. Belongs to the writer's thread, and has to be gone
/// before the connection is closed.
final class PreparedStatements {
  private var statements: [ObjectIdentifier: Prepared] = [:]

  private struct Prepared {
    // Kept alive, so that no other text can get its identity.
    let sql: PreparedSQL
    let statement: Statement
  }

  func statement(_ sql: PreparedSQL, in database: Database) throws -> SQLiteStatement {
    if let prepared = statements[ObjectIdentifier(sql)] { return prepared.statement.sqliteStatement }
    let statement = try database.makeStatement(sql: sql.text)
    statements[ObjectIdentifier(sql)] = Prepared(sql: sql, statement: statement)
    return statement.sqliteStatement
  }
}

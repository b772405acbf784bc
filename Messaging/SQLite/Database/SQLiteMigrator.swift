import FaultInjection
import GRDB
import Logging
import WireFormat

/// Brings a store to the version of this program, a step at a time.
///
/// Each step is a transaction that takes the write lock first and only then looks whether the step is still missing. So
/// two processes may start on one file at the same time, and a kill in between loses nothing.
struct SQLiteMigrator {
  let path: String
  let migrations: [SQLiteMigration]
  let logger: Logger

  /// - Throws: ``SQLiteStoreError`` when the store has steps that this program does not know: it is from a newer version.
  func migrate(_ database: Database) throws {
    guard Set(migrations.map(\.name)).count == migrations.count else {
      throw SQLiteStoreError(path: path, reason: "two migrations have the same name")
    }
    try refuseNewerStore(database)
    let isNew = try !hasSteps(database)
    for migration in migrations {
      try database.inTransaction(.immediate) {
        guard try !isApplied(migration, database) else { return .rollback }
        if !isNew {
          logger.notice(
            "The store is brought to this version: a large one takes a while", metadata: ["step": "\(migration.name)"])
        }
        try migration.apply(database)
        try Failpoint.storeMigrating.hit(migration.name)
        try database.execute(
          sql: "INSERT INTO schema_migrations (name, applied_at) VALUES (?, ?)",
          arguments: [migration.name, Timestamp.now().millisecondsSinceEpoch])
        return .commit
      }
    }
  }

  private func refuseNewerStore(_ database: Database) throws {
    try database.inTransaction(.immediate) {
      try database.execute(
        sql: """
          CREATE TABLE IF NOT EXISTS schema_migrations (
            name TEXT NOT NULL PRIMARY KEY,
            applied_at INTEGER NOT NULL
          ) STRICT
          """)
      let known = Set(migrations.map(\.name))
      let unknown = try String.fetchAll(database, sql: "SELECT name FROM schema_migrations ORDER BY applied_at, name")
        .filter { !known.contains($0) }
      guard unknown.isEmpty else {
        throw SQLiteStoreError(
          path: path,
          reason: """
            the store was written by a newer version of this program (it has the migrations \
            \(unknown.joined(separator: ", "))): start that version, or restore a backup of before
            """)
      }
      return .commit
    }
  }

  private func hasSteps(_ database: Database) throws -> Bool {
    try Bool.fetchOne(database, sql: "SELECT EXISTS (SELECT 1 FROM schema_migrations)") ?? false
  }

  private func isApplied(_ migration: SQLiteMigration, _ database: Database) throws -> Bool {
    try Bool.fetchOne(
      database, sql: "SELECT EXISTS (SELECT 1 FROM schema_migrations WHERE name = ?)", arguments: [migration.name])
      ?? false
  }
}

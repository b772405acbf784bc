import Messaging
import MessagingSQLite

extension ServiceConfiguration {
  /// Opens the service's store, and brings it to this program's schema: first that of the messaging library, then
  /// `migrations`. Blocks; call it at start.
  ///
  /// - Throws: what says why it cannot be opened: not writable, locked, from a newer version, no database.
  public func openDatabase(migrations: [SQLiteMigration]) throws -> SQLiteDatabase {
    let all = MessagingMigrations.all + migrations
    guard databasePath != ":memory:" else { return try SQLiteDatabase.inMemory(migrations: all) }
    return try SQLiteDatabase.open(path: databasePath, migrations: all)
  }

  /// The outbox of `database`, which keeps its rows as long as the configuration says.
  public func makeOutbox(in database: SQLiteDatabase, clocks: Clocks = .system) -> SQLiteOutbox {
    SQLiteOutbox(database: database, retention: outboxRetention, now: clocks.wall)
  }
}

import Foundation
import GRDB
import Messaging

extension SQLiteDatabase {
  /// Opens the store in the file `path`, which is made (readable by its owner only) where there is none, together with
  /// its folder. Blocks.
  ///
  /// - Parameter migrations: every step of the schema from the first on; those that the store does not have yet are
  ///   carried out before this returns.
  /// - Throws: ``SQLiteStoreError`` when the file is not a store of ours, comes from a newer version, or cannot be synced
  ///   as promised; `StoreUnavailable` for what may pass.
  public static func open(
    path: String, migrations: [SQLiteMigration], configuration: SQLiteConfiguration = SQLiteConfiguration()
  ) throws -> SQLiteDatabase {
    guard !path.isEmpty, path != ":memory:" else { throw SQLiteStoreError(path: path, reason: "not a file's path") }
    try StoreFile(path: path).create()
    _ = MemoryStatistics.areOff
    let wait = BusyWait(patience: configuration.busyTimeout)
    let settings = ConnectionSettings(path: path, configuration: configuration)
    do {
      let pool = try openPool(path: path, settings: settings, wait: wait, patience: configuration.busyTimeout)
      let log = WriteAheadLog(databasePath: path, wait: wait, configuration: configuration)
      try pool.writeWithoutTransaction { database in
        try settings.makeDurable(database)
        try settings.claim(database)
        try settings.sortingInFiles(database) {
          try SQLiteMigrator(path: path, migrations: migrations, logger: configuration.logger).migrate(database)
        }
        try log.watch(database)
      }
      let name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
      return SQLiteDatabase(
        path: path, connection: pool,
        writer: GroupCommitWriter(connection: pool, log: log, name: name, configuration: configuration),
        handling: HandlingMarks(databasePath: path))
    } catch {
      throw opening(path, failedWith: error)
    }
  }

  /// A store in memory, for tests and simulations: the same in every respect but that nothing survives it, and that a
  /// read waits for the transaction in hand.
  public static func inMemory(
    migrations: [SQLiteMigration], configuration: SQLiteConfiguration = SQLiteConfiguration()
  ) throws -> SQLiteDatabase {
    let path = ":memory:"
    _ = MemoryStatistics.areOff
    do {
      let settings = ConnectionSettings(path: path, configuration: configuration)
      let queue = try DatabaseQueue(configuration: settings.grdb(waitingWith: BusyWait(patience: .zero)))
      try queue.writeWithoutTransaction { database in
        try settings.checkVersion(database)
        try SQLiteMigrator(path: path, migrations: migrations, logger: configuration.logger).migrate(database)
      }
      return SQLiteDatabase(
        path: path, connection: queue,
        writer: GroupCommitWriter(connection: queue, log: nil, name: "memory", configuration: configuration))
    } catch {
      throw opening(path, failedWith: error)
    }
  }

  /// Changing a new file to WAL takes the whole file for a moment, and SQLite does not always wait for that by itself.
  private static func openPool(
    path: String, settings: ConnectionSettings, wait: BusyWait, patience: Duration
  ) throws -> DatabasePool {
    let start = ContinuousClock.now
    while true {
      do {
        return try DatabasePool(path: path, configuration: settings.grdb(waitingWith: wait))
      } catch let error as DatabaseError
        where error.resultCode == .SQLITE_BUSY && ContinuousClock.now - start < patience
      {
        Thread.sleep(forTimeInterval: 0.005)
      }
    }
  }

  private static func opening(_ path: String, failedWith error: any Error) -> any Error {
    guard let error = error as? DatabaseError else { return error }
    switch error.resultCode {
    case .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_FULL, .SQLITE_IOERR, .SQLITE_NOMEM:
      return StoreUnavailable.translating(error)
    default:
      return SQLiteStoreError(path: path, reason: "cannot be opened: \(error)")
    }
  }
}

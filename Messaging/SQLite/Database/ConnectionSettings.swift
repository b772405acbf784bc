import FaultInjection
import Foundation
import GRDB

/// How the connections of a store are set up, and what is verified before anything is written.
struct ConnectionSettings {
  let path: String
  let configuration: SQLiteConfiguration

  func grdb(waitingWith wait: BusyWait) -> Configuration {
    var grdb = Configuration()
    grdb.label = "store"
    grdb.maximumReaderCount = max(1, configuration.readers)
    grdb.busyMode = .callback(wait.callback)
    grdb.prepareDatabase { database in
      // The writer checkpoints by itself: see WriteAheadLog.
      try database.execute(sql: "PRAGMA wal_autocheckpoint = 0")
      try database.execute(sql: "PRAGMA temp_store = MEMORY")
      // Debian's SQLite overwrites what is deleted or moved with zeros, which costs and was promised to nobody.
      try database.execute(sql: "PRAGMA secure_delete = OFF")
      // On macOS a sync reaches the disk's cache only, unless these ask for more. Without effect elsewhere.
      try database.execute(sql: "PRAGMA fullfsync = ON")
      try database.execute(sql: "PRAGMA checkpoint_fullfsync = ON")
    }
    return grdb
  }

  /// On the writer's connection of a pool, after opening: `DatabasePool` itself sets `synchronous` to NORMAL.
  func makeDurable(_ database: Database) throws {
    try checkVersion(database)
    try database.execute(sql: "PRAGMA synchronous = \(Mutation.synchronousNormal.isOn ? "NORMAL" : "FULL")")
    try database.execute(sql: "PRAGMA cache_size = -16384")
    try verify("synchronous", is: 2, database)
    try verify("wal_autocheckpoint", is: 0, database)
    guard try String.fetchOne(database, sql: "PRAGMA journal_mode") == "wal" else {
      throw SQLiteStoreError(path: path, reason: "the file system does not allow a write-ahead log")
    }
  }

  /// For a new index over millions of rows: sorted in memory it would take hundreds of megabytes.
  func sortingInFiles(_ database: Database, _ body: () throws -> Void) throws {
    try database.execute(sql: "PRAGMA temp_store = FILE")
    try body()
    try database.execute(sql: "PRAGMA temp_store = MEMORY")
  }

  /// STRICT tables came with SQLite 3.37.
  func checkVersion(_ database: Database) throws {
    let version = try String.fetchOne(database, sql: "SELECT sqlite_version()") ?? ""
    let parts = version.split(separator: ".").compactMap { Int($0) }
    guard parts.count >= 2, (parts[0], parts[1]) >= (3, 37) else {
      throw SQLiteStoreError(path: path, reason: "SQLite \(version) is too old: 3.37 or newer is needed")
    }
  }

  /// Marks a new file as ours, and refuses somebody else's.
  func claim(_ database: Database) throws {
    guard let ours = configuration.applicationID else { return }
    let mark = try Int32.fetchOne(database, sql: "PRAGMA application_id") ?? 0
    guard mark != ours else { return }
    guard mark == 0 else {
      throw SQLiteStoreError(path: path, reason: "the file belongs to another program (application_id \(mark))")
    }
    try database.execute(sql: "PRAGMA application_id = \(ours)")
  }

  private func verify(_ pragma: String, is expected: Int, _ database: Database) throws {
    let value = try Int.fetchOne(database, sql: "PRAGMA \(pragma)")
    guard value == expected else {
      throw SQLiteStoreError(path: path, reason: "\(pragma) is \(value.map(String.init) ?? "unknown"), not \(expected)")
    }
  }
}

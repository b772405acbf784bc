import Foundation
import GRDB
import Messaging
import MessagingSQLite
import Testing

@Suite("SQLite database", .timeLimit(.minutes(2)))
struct SQLiteDatabaseTests {
  static let table = [SQLiteMigration(name: "notes", sql: "CREATE TABLE notes (text TEXT NOT NULL) STRICT")]

  @Test func commitsAreSynced() async throws {
    let store = try StoreKind.file.open()

    let settings = try await store.database.write { transaction in
      try ["synchronous", "wal_autocheckpoint", "foreign_keys", "application_id"].map {
        try Int.fetchOne(transaction.database, sql: "PRAGMA \($0)")
      }
    }
    let mode = try await store.database.read { try String.fetchOne($0, sql: "PRAGMA journal_mode") }

    #expect(settings == [2, 0, 1, 0x6F66_6C77])
    #expect(mode == "wal")
  }

  @Test func theFileIsReadableByItsOwnerOnlyAndItsFolderIsMade() throws {
    let folder = try StoreFolder()
    let path = folder.path + "/deep/down/store.sqlite"

    let database = try SQLiteDatabase.open(path: path, migrations: Self.table)
    try database.writeBlocking { try $0.database.execute(sql: "INSERT INTO notes VALUES ('x')") }

    for suffix in ["", "-wal", "-shm"] {
      let rights = try FileManager.default.attributesOfItem(atPath: path + suffix)[.posixPermissions] as? Int
      #expect(rights == 0o600)
    }
    try database.close()
  }

  @Test func whatWasWrittenIsThereAfterReopening() async throws {
    let folder = try StoreFolder()

    for number in 1...3 {
      let database = try SQLiteDatabase.open(path: folder.store, migrations: Self.table)
      try await database.write { try $0.database.execute(sql: "INSERT INTO notes VALUES ('x')") }
      let count = try await database.read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM notes") }
      #expect(count == number)
      try database.close()
    }
  }

  @Test(arguments: StoreKind.allCases)
  func whatIsQueuedIsWrittenBeforeTheStoreCloses(_ kind: StoreKind) async throws {
    let store = try kind.open(migrations: Self.table)
    let written = Tally()
    let held = await HeldWriter(store.database)

    let writes = (0..<20).map { _ in
      Task {
        try await store.database.write { try $0.database.execute(sql: "INSERT INTO notes VALUES ('x')") }
        written.add()
      }
    }
    while store.database.statistics.waitingWrites < 20 { await Task.yield() }
    let closing = Task.detached { try await DedicatedThread.run(named: "close") { try store.database.close() } }
    try await held.letGo(when: 20, waitFor: store.database)
    try await closing.value

    for write in writes { try await write.value }
    #expect(written.value == 20)
  }

  @Test(arguments: StoreKind.allCases)
  func aClosedStoreIsUnavailable(_ kind: StoreKind) async throws {
    let store = try kind.open(migrations: Self.table)

    try store.database.close()
    try store.database.close()

    await #expect(throws: StoreUnavailable.self) { try await store.database.write { _ in } }
    await #expect(throws: StoreUnavailable.self) { try await store.database.read { _ in } }
    #expect(throws: StoreUnavailable.self) { try store.database.writeBlocking { _ in } }
    #expect(throws: StoreUnavailable.self) { try store.database.readBlocking { _ in } }
  }

  @Test func aReadSeesOneMomentHoweverMuchIsWrittenMeanwhile() async throws {
    let store = try StoreKind.file.open(migrations: Self.table)
    let database = store.database

    let counts = try database.readBlocking { reader in
      let before = try Int.fetchOne(reader, sql: "SELECT COUNT(*) FROM notes")
      let done = DispatchSemaphore(value: 0)
      Task.detached {
        try await database.write { try $0.database.execute(sql: "INSERT INTO notes VALUES ('x')") }
        done.signal()
      }
      done.wait()
      return [before, try Int.fetchOne(reader, sql: "SELECT COUNT(*) FROM notes")]
    }

    #expect(counts == [0, 0])
    #expect(try store.count("SELECT COUNT(*) FROM notes") == 1)
  }

  @Test func theLogIsEmptiedWhenItHasGrownAndWhenTheStoreCloses() async throws {
    let folder = try StoreFolder()
    var configuration = SQLiteConfiguration()
    configuration.checkpointSize = 256 << 10
    configuration.checkpointSizeUnderLoad = 512 << 10
    let database = try SQLiteDatabase.open(path: folder.store, migrations: Self.table, configuration: configuration)

    let text = String(repeating: "x", count: 20_000)
    for _ in 0..<200 {
      try await database.write { try $0.database.execute(sql: "INSERT INTO notes VALUES (?)", arguments: [text]) }
    }
    // A checkpoint follows the answer to the write before it: one more write is behind all of them.
    try await database.write { _ in }
    let log = try FileManager.default.attributesOfItem(atPath: folder.store + "-wal")[.size] as? Int ?? -1
    let sum = try await database.read { try Int.fetchOne($0, sql: "SELECT sum(length(text)) FROM notes") }

    #expect(database.statistics.checkpoints >= 5)
    #expect(log < 1 << 20)
    #expect(sum == 200 * 20_000)
    #expect(try database.integrityCheck() == [])
    try database.close()
    let rest = try FileManager.default.attributesOfItem(atPath: folder.store + "-wal")[.size] as? Int
    #expect(rest == 0 || rest == nil)
  }

  @Test func aReaderInTheWayOnlyPostponesTheCheckpoint() async throws {
    let folder = try StoreFolder()
    var configuration = SQLiteConfiguration()
    configuration.checkpointSize = 64 << 10
    let database = try SQLiteDatabase.open(path: folder.store, migrations: Self.table, configuration: configuration)
    let (isReading, mayEnd) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    let text = String(repeating: "x", count: 20_000)

    let reading = Task.detached {
      try await database.read { reader in
        let before = try Int.fetchOne(reader, sql: "SELECT COUNT(*) FROM notes")
        isReading.signal()
        mayEnd.wait()
        return [before, try Int.fetchOne(reader, sql: "SELECT COUNT(*) FROM notes")]
      }
    }
    try await DedicatedThread.run(named: "wait") { isReading.wait() }
    for _ in 0..<5 {
      try await database.write { try $0.database.execute(sql: "INSERT INTO notes VALUES (?)", arguments: [text]) }
    }
    try await database.write { _ in }
    #expect(database.statistics.checkpoints == 0)
    mayEnd.signal()
    #expect(try await reading.value == [0, 0])
    #expect(try database.integrityCheck() == [])
    try database.close()

    #expect(database.statistics.checkpoints == 1)
  }

  @Test func whoDoesNotGetTheWriteLockLeavesTheLogAlone() throws {
    let folder = try StoreFolder()
    let file = URL(fileURLWithPath: folder.store)
    let database = try SQLiteDatabase.open(path: folder.store, migrations: Self.table)
    try database.writeBlocking { try $0.database.execute(sql: "INSERT INTO notes VALUES ('in the log')") }
    var configuration = Configuration()
    configuration.allowsUnsafeTransactions = true
    let other = try DatabaseQueue(path: folder.store, configuration: configuration)
    try other.inDatabase { try $0.execute(sql: "BEGIN IMMEDIATE") }
    let before = try Data(contentsOf: file)

    // The end of the store is an occasion to empty its log, but another process may commit at that moment.
    try database.close()

    #expect(try Data(contentsOf: file) == before)
    try other.inDatabase { try $0.execute(sql: "ROLLBACK") }
    #expect(try other.read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM notes") } == 1)
    try other.close()
  }

  @Test func twoInstancesOnOneFileNeitherFailNorLoseAWrite() async throws {
    let folder = try StoreFolder()
    var configuration = SQLiteConfiguration()
    configuration.checkpointSize = 64 << 10
    configuration.checkpointSizeUnderLoad = 128 << 10
    let databases = try (0..<2).map { _ in
      try SQLiteDatabase.open(path: folder.store, migrations: Self.table, configuration: configuration)
    }

    try await withThrowingTaskGroup(of: Void.self) { group in
      for database in databases {
        for writer in 0..<8 {
          group.addTask {
            for index in 0..<100 {
              try await database.write { transaction in
                // Reads before it writes: what ends in SQLITE_BUSY where the lock is taken late.
                let count = try Int.fetchOne(transaction.database, sql: "SELECT COUNT(*) FROM notes") ?? 0
                try transaction.database.execute(
                  sql: "INSERT INTO notes VALUES (?)", arguments: ["\(writer) \(index) \(count)"])
              }
              if index % 10 == 0 { _ = try await database.read { try Int.fetchOne($0, sql: "SELECT 1") } }
            }
          }
        }
      }
      try await group.waitForAll()
    }

    let count = try databases[0].readBlocking { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM notes") }
    #expect(count == 2 * 8 * 100)
    #expect(databases.reduce(0) { $0 + $1.statistics.checkpoints } > 0)
    #expect(try databases[0].integrityCheck() == [])
    for database in databases { try database.close() }
  }

  @Test func aFileOfAnotherProgramIsRefused() throws {
    let folder = try StoreFolder()
    let foreign = try DatabaseQueue(path: folder.store)
    try foreign.writeWithoutTransaction { try $0.execute(sql: "PRAGMA application_id = 4711; CREATE TABLE theirs (a)") }
    try foreign.close()
    try Data("not a database at all, and long enough to be read as a header of one ............".utf8)
      .write(to: URL(fileURLWithPath: folder.path + "/text"))

    #expect(throws: SQLiteStoreError.self) { try SQLiteDatabase.open(path: folder.store, migrations: []) }
    #expect(throws: SQLiteStoreError.self) { try SQLiteDatabase.open(path: folder.path + "/text", migrations: []) }
    #expect(throws: SQLiteStoreError.self) { try SQLiteDatabase.open(path: "/proc/none/store", migrations: []) }
    #expect(throws: SQLiteStoreError.self) { try SQLiteDatabase.open(path: "", migrations: []) }
  }
}

import GRDB
import Messaging
import MessagingSQLite
import Testing

@Suite("SQLite migrations", .timeLimit(.minutes(2)))
struct SQLiteMigrationTests {
  static let first = SQLiteMigration(name: "1", sql: "CREATE TABLE notes (text TEXT NOT NULL) STRICT")
  static let second = SQLiteMigration(name: "2") { database in
    try database.execute(sql: "INSERT INTO notes VALUES ('by the second step')")
  }

  @Test func everyStepIsCarriedOutOnceAndDataIsKept() throws {
    let folder = try StoreFolder()

    try withStore(folder, [Self.first]) { database in
      try database.writeBlocking { try $0.database.execute(sql: "INSERT INTO notes VALUES ('mine')") }
    }
    for _ in 0..<2 {
      try withStore(folder, [Self.first, Self.second]) { database in
        let notes = try database.readBlocking { try String.fetchAll($0, sql: "SELECT text FROM notes ORDER BY rowid") }
        #expect(notes == ["mine", "by the second step"])
      }
    }
  }

  @Test func aStoreOfANewerVersionIsRefusedAndLeftAlone() throws {
    let folder = try StoreFolder()
    try withStore(folder, [Self.first, Self.second]) { _ in }

    let error = #expect(throws: SQLiteStoreError.self) {
      try SQLiteDatabase.open(path: folder.store, migrations: [Self.first])
    }
    #expect(error?.reason.contains("newer version") == true)
    #expect(error?.reason.contains("2") == true)

    try withStore(folder, [Self.first, Self.second]) { database throws in
      #expect(try database.readBlocking { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM notes") } == 1)
    }
  }

  @Test func aStepThatFailsLeavesNothingAndIsTriedAgain() throws {
    let folder = try StoreFolder()
    let failing = SQLiteMigration(name: "2") { database in
      try database.execute(sql: "INSERT INTO notes VALUES ('half')")
      throw Refused()
    }

    #expect(throws: Refused.self) {
      try SQLiteDatabase.open(path: folder.store, migrations: [Self.first, failing])
    }

    try withStore(folder, [Self.first, Self.second]) { database in
      let notes = try database.readBlocking { try String.fetchAll($0, sql: "SELECT text FROM notes") }
      #expect(notes == ["by the second step"])
    }
  }

  @Test func manyMayStartAtOnce() async throws {
    let folder = try StoreFolder()

    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<6 {
        group.addTask {
          try await DedicatedThread.run(named: "start") {
            let migrations = MessagingMigrations.all + [Self.first, Self.second]
            try SQLiteDatabase.open(path: folder.store, migrations: migrations).close()
          }
        }
      }
      try await group.waitForAll()
    }

    try withStore(folder, MessagingMigrations.all + [Self.first, Self.second]) { database throws in
      #expect(try database.readBlocking { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM notes") } == 1)
      #expect(try database.integrityCheck() == [])
    }
  }

  @Test func twoStepsOfOneNameAreRefused() {
    #expect(throws: SQLiteStoreError.self) { try SQLiteDatabase.inMemory(migrations: [Self.first, Self.first]) }
  }

  private func withStore(
    _ folder: StoreFolder, _ migrations: [SQLiteMigration], _ body: (SQLiteDatabase) throws -> Void
  ) throws {
    let database = try SQLiteDatabase.open(path: folder.store, migrations: migrations)
    try body(database)
    try database.close()
  }
}

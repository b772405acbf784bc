import GRDB
import Messaging
import MessagingSQLite
import Testing
import WireFormat

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

  @Test func anOutboxOfAnEarlierVersionKeepsItsRowsTheirPublicationsAndItsNumbers() async throws {
    let folder = try StoreFolder()
    let earlier = MessagingMigrations.all.filter { $0.name != "messaging-11-publications" }
    try withStore(folder, earlier) { database in
      try database.writeBlocking {
        try $0.database.execute(
          sql: """
            INSERT INTO outbox VALUES
              (3, 1000, 2000, 4, 4711, 2, NULL, 'a', 'T', 'orders', x'6b', x'00', x'01'),
              (4, 1001, 2001, NULL, NULL, 2, 7, 'b', 'T', 'orders-dlq', NULL, x'00', NULL),
              (5, 1002, NULL, NULL, NULL, NULL, NULL, 'c', 'T', 'orders', x'6b', x'00', x''),
              (9, 1003, 2002, 0, 0, 2, NULL, 'purged', 'T', 'orders', x'6b', x'00', x'');
            DELETE FROM outbox WHERE sequence = 9;
            """)
      }
    }

    let database = try SQLiteDatabase.open(path: folder.store, migrations: MessagingMigrations.all)
    let outbox = SQLiteOutbox(database: database)
    try await database.write { try outbox.append(outboxMessage("new"), in: $0) }
    let entries = try await outbox.entries(limit: 10)

    #expect(entries.map(\.sequence) == [10, 5, 4, 3])
    #expect(entries.map(\.eventID) == ["new", "c", "b", "a"])
    let publications = entries.map(\.publication)
    #expect(publications[0] == nil && publications[1] == nil)
    #expect(publications[2]?.topicPartition == TopicPartition("orders-dlq", 0) && publications[2]?.offset == nil)
    #expect(publications[3]?.topicPartition == TopicPartition("orders", 4) && publications[3]?.offset == 4711)
    #expect(publications[3]?.at == Timestamp(millisecondsSinceEpoch: 2000) && publications[3]?.epoch == 2)
    #expect(try outbox.unpublished(after: 0, limit: 10).map(\.sequence) == [5, 10])
    #expect(try outbox.unpublished(after: 0, limit: 1).first?.message.value == [])
    #expect(try await outbox.summary().lastSequence == 10)
    try database.close()
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

import GRDB
import Messaging
import MessagingSQLite
import Testing

/// A full disk, played by SQLite's own limit on the number of pages.
@Suite("SQLite on a full disk", .timeLimit(.minutes(2)))
struct SQLiteFullDiskTests {
  static let table = [SQLiteMigration(name: "notes", sql: "CREATE TABLE notes (text TEXT NOT NULL) STRICT")]
  static let large = String(repeating: "x", count: 50_000)

  @Test(arguments: StoreKind.allCases)
  func theStoreIsUnavailableUntilThereIsRoomAgain(_ kind: StoreKind) async throws {
    let store = try kind.open(migrations: Self.table)
    let database = store.database
    try await insert("before", into: database)

    try await limit(database, toPages: 1)
    for _ in 0..<3 {
      await #expect(throws: StoreUnavailable.self) { try await insert(Self.large, into: database) }
    }
    #expect(try store.count("SELECT COUNT(*) FROM notes") == 1)
    try await limit(database, toPages: 1_000_000)
    try await insert(Self.large, into: database)

    #expect(try store.count("SELECT COUNT(*) FROM notes") == 2)
    #expect(try database.integrityCheck() == [])
  }

  @Test(arguments: StoreKind.allCases)
  func nothingIsHalfDoneForABatchThatMetTheFullDisk(_ kind: StoreKind) async throws {
    let store = try kind.open(migrations: Self.table)
    let database = store.database
    try await limit(database, toPages: 1)
    let held = await HeldWriter(database)

    let writes = (0..<30).map { index in
      Task {
        try await database.write { transaction in
          try transaction.database.execute(sql: "INSERT INTO notes VALUES (?)", arguments: ["small \(index)"])
          if index % 3 == 0 {
            try transaction.database.execute(sql: "INSERT INTO notes VALUES (?)", arguments: [Self.large])
          }
        }
      }
    }
    try await held.letGo(when: 30, waitFor: database)

    var succeeded = 0
    for (index, write) in writes.enumerated() {
      do {
        try await write.value
        succeeded += 1
        #expect(index % 3 != 0)
      } catch {
        #expect(error is StoreUnavailable, "\(error)")
      }
    }
    #expect(try store.count("SELECT COUNT(*) FROM notes") == succeeded)
    try await limit(database, toPages: 1_000_000)
    try await insert(Self.large, into: database)
    #expect(try store.count("SELECT COUNT(*) FROM notes") == succeeded + 1)
  }

  @Test func aRecordsSavepointThatMeetsTheFullDiskSaysThatTheStoreIsUnavailable() throws {
    let store = try StoreKind.file.open(migrations: MessagingMigrations.all + Self.table)
    try store.database.writeBlocking { try $0.database.execute(sql: "PRAGMA max_page_count = 1") }

    #expect(throws: StoreUnavailable.self) {
      try store.inbox.transact { [inbox = store.inbox] transaction in
        #expect(try inbox.register(inboxEntry("e1"), outcome: .processed, in: transaction))
        do {
          try inbox.savepoint(in: transaction) {
            try transaction.database.execute(sql: "INSERT INTO notes VALUES (?)", arguments: [Self.large])
          }
        } catch {
          #expect(error is StoreUnavailable, "\(error)")
          // Swallowed, as a careless caller might: what follows must not be committed on its own.
        }
        _ = try inbox.register(inboxEntry("e2"), outcome: .processed, in: transaction)
      }
    }

    #expect(try store.count("SELECT COUNT(*) FROM processed_events") == 0)
  }

  /// SQLite raises a limit below the present size to that.
  private func limit(_ database: SQLiteDatabase, toPages pages: Int) async throws {
    try await database.write { try $0.database.execute(sql: "PRAGMA max_page_count = \(pages)") }
  }
}

private func insert(_ text: String, into database: SQLiteDatabase) async throws {
  try await database.write { try $0.database.execute(sql: "INSERT INTO notes VALUES (?)", arguments: [text]) }
}

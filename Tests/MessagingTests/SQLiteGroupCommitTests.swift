import Foundation
import GRDB
import Messaging
import MessagingSQLite
import Testing

@Suite("SQLite group commit", .timeLimit(.minutes(2)))
struct SQLiteGroupCommitTests {
  static let table = [SQLiteMigration(name: "notes", sql: "CREATE TABLE notes (text TEXT NOT NULL) STRICT")]

  @Test(arguments: StoreKind.allCases)
  func writesThatGatherWhileTheWriterIsBusyShareOneCommit(_ kind: StoreKind) async throws {
    let store = try kind.open(migrations: Self.table)
    let held = await HeldWriter(store.database)

    async let written: Void = write(64, to: store.database)
    try await held.letGo(when: 64, waitFor: store.database)
    try await written

    #expect(store.database.statistics.commits == 2)
    #expect(store.database.statistics.writes == 65)
    #expect(try store.count("SELECT COUNT(*) FROM notes") == 64)
  }

  @Test func aBatchIsBounded() async throws {
    var configuration = SQLiteConfiguration()
    configuration.maximumBatch = 10
    let store = try StoreKind.memory.open(migrations: Self.table, configuration: configuration)
    let held = await HeldWriter(store.database)

    async let written: Void = write(35, to: store.database)
    try await held.letGo(when: 35, waitFor: store.database)
    try await written

    #expect(store.database.statistics.commits == 1 + 4)
  }

  @Test(arguments: StoreKind.allCases)
  func oneWriteThatThrowsFailsAlone(_ kind: StoreKind) async throws {
    let store = try kind.open(migrations: Self.table)
    let held = await HeldWriter(store.database)

    let failing = Task {
      try await store.database.write { transaction in
        try transaction.database.execute(sql: "INSERT INTO notes VALUES ('of the failing write')")
        throw Refused()
      }
    }
    async let written: Void = write(9, to: store.database)
    try await held.letGo(when: 10, waitFor: store.database)
    try await written

    await #expect(throws: Refused.self) { try await failing.value }
    #expect(store.database.statistics.commits == 2)
    #expect(try store.count("SELECT COUNT(*) FROM notes") == 9)
  }

  @Test(arguments: StoreKind.allCases)
  func aRepeatableWriteThatThrowsFailsAloneAndThoseOfItsCommitRunAgain(_ kind: StoreKind) async throws {
    let store = try kind.open(migrations: Self.table)
    let (runs, actions, failures) = (Tally(), Tally(), Tally())
    let held = await HeldWriter(store.database)

    let writes = (0..<160).map { index in
      Task {
        try await store.database.write(isRepeatable: true) { transaction in
          runs.add()
          transaction.afterCommit { actions.add() }
          try transaction.database.execute(sql: "INSERT INTO notes VALUES (?)", arguments: [index])
          if index == 80 { failures.add() }
          if index == 80 { throw Refused() }
        }
      }
    }
    try await held.letGo(when: 160, waitFor: store.database)

    for (index, write) in writes.enumerated() where index != 80 { try await write.value }
    await #expect(throws: Refused.self) { try await writes[80].value }
    #expect(failures.value == 2, "without savepoints, and with")
    #expect((161...320).contains(runs.value), "\(runs.value) runs: those before it twice, those behind it once")
    #expect(actions.value == 159)
    #expect(try store.count("SELECT COUNT(DISTINCT text) FROM notes WHERE text <> '80'") == 159)
    #expect(try store.count("SELECT COUNT(*) FROM notes") == 159)
  }

  @Test(arguments: StoreKind.allCases)
  func whatThrowsInASavepointOfARepeatableWriteIsUndoneAlone(_ kind: StoreKind) async throws {
    let store = try kind.open(migrations: Self.table)
    let (runs, actions) = (Tally(), Tally())

    let caught = try await store.database.write(isRepeatable: true) { transaction in
      runs.add()
      try transaction.database.execute(sql: "INSERT INTO notes VALUES ('before')")
      var caught: (any Error)?
      do {
        try transaction.savepoint {
          transaction.afterCommit { actions.add() }
          try transaction.database.execute(sql: "INSERT INTO notes VALUES ('in it')")
          throw Refused()
        }
      } catch {
        caught = error
      }
      try transaction.database.execute(sql: "INSERT INTO notes VALUES ('behind')")
      return caught
    }

    #expect(caught is Refused)
    #expect(runs.value == 2)
    #expect(actions.value == 0)
    let notes = try await store.database.read { try String.fetchAll($0, sql: "SELECT text FROM notes ORDER BY rowid") }
    #expect(notes == ["before", "behind"])
  }

  @Test func aLonelyRepeatableWriteThatThrowsRunsOnceAndItsActionsDoNot() async throws {
    let store = try StoreKind.memory.open(migrations: Self.table)
    let (runs, actions) = (Tally(), Tally())

    await #expect(throws: Refused.self) {
      try await store.database.write(isRepeatable: true) { transaction in
        runs.add()
        transaction.afterCommit { actions.add() }
        try transaction.database.execute(sql: "INSERT INTO notes VALUES ('x')")
        throw Refused()
      }
    }

    #expect(runs.value == 1)
    #expect(actions.value == 0)
    #expect(try store.count("SELECT COUNT(*) FROM notes") == 0)
  }

  @Test func aWriteThatIsNotRepeatableRunsOnceAmongThoseThatAre() async throws {
    let store = try StoreKind.file.open(migrations: Self.table)
    let (runs, others) = (Tally(), Tally())
    let held = await HeldWriter(store.database)

    var writes: [Task<Void, any Error>] = []
    for index in 0..<9 {
      let isRepeatable = index % 3 != 1
      writes.append(
        Task {
          try await store.database.write(isRepeatable: isRepeatable) { transaction in
            (index == 4 ? runs : others).add()
            try transaction.database.execute(sql: "INSERT INTO notes VALUES ('x')")
            if index == 3 || index == 5 { throw Refused() }
          }
        })
      while store.database.statistics.waitingWrites < index + 1 { await Task.yield() }
    }
    try await held.letGo(when: 9, waitFor: store.database)

    for (index, write) in writes.enumerated() where index != 3 && index != 5 { try await write.value }
    #expect(runs.value == 1)
    #expect(others.value == 8)
    #expect(try store.count("SELECT COUNT(*) FROM notes") == 7)
  }

  @Test(arguments: StoreKind.allCases)
  func aLonelyWriteThatThrowsLeavesNothing(_ kind: StoreKind) async throws {
    let store = try kind.open(migrations: Self.table)

    await #expect(throws: Refused.self) {
      try await store.database.write { transaction in
        try transaction.database.execute(sql: "INSERT INTO notes VALUES ('x')")
        throw Refused()
      }
    }

    #expect(try store.count("SELECT COUNT(*) FROM notes") == 0)
  }

  @Test func aWriteThatEndsTheTransactionTakesItsBatchWithItAndTheWriterLivesOn() async throws {
    let store = try StoreKind.file.open(migrations: Self.table)
    let held = await HeldWriter(store.database)

    let innocent = Task { try await insert("innocent", into: store.database) }
    while store.database.statistics.waitingWrites < 1 { await Task.yield() }
    let culprit = Task {
      try await store.database.write { try $0.database.execute(sql: "ROLLBACK") }
    }
    while store.database.statistics.waitingWrites < 2 { await Task.yield() }
    let later = Task { try await insert("later", into: store.database) }
    try await held.letGo(when: 3, waitFor: store.database)

    await #expect(throws: StoreUnavailable.self) { try await innocent.value }
    await #expect(throws: StoreUnavailable.self) { try await culprit.value }
    await #expect(throws: StoreUnavailable.self) { try await later.value }
    #expect(try store.count("SELECT COUNT(*) FROM notes") == 0)
    #expect(store.database.statistics.trouble != nil)
    try await insert("after", into: store.database)
    #expect(try store.count("SELECT COUNT(*) FROM notes") == 1)
    #expect(store.database.statistics.trouble == nil)
  }

  @Test func tooManyWaitingWritesAreRefusedAtOnce() async throws {
    var configuration = SQLiteConfiguration()
    configuration.maximumWaitingWrites = 5
    let store = try StoreKind.memory.open(migrations: Self.table, configuration: configuration)
    let held = await HeldWriter(store.database)

    async let written: Void = write(5, to: store.database)
    while store.database.statistics.waitingWrites < 5 { await Task.yield() }
    await #expect(throws: StoreUnavailable.self) { try await insert("one too many", into: store.database) }
    try await held.letGo(when: 5, waitFor: store.database)
    try await written

    #expect(try store.count("SELECT COUNT(*) FROM notes") == 5)
  }

  @Test func cancellingATaskDoesNotUndoItsWrite() async throws {
    let store = try StoreKind.memory.open(migrations: Self.table)
    let held = await HeldWriter(store.database)

    let cancelled = Task { try await insert("x", into: store.database) }
    while store.database.statistics.waitingWrites < 1 { await Task.yield() }
    cancelled.cancel()
    try await held.letGo(when: 1, waitFor: store.database)

    try await cancelled.value
    #expect(try store.count("SELECT COUNT(*) FROM notes") == 1)
  }

  @Test(arguments: StoreKind.allCases)
  func afterCommitActionsRunOnceACommitAndNeverForWhatWasRolledBack(_ kind: StoreKind) async throws {
    let store = try kind.open(migrations: Self.table)
    let (each, once, never) = (Tally(), Tally(), Tally())
    let held = await HeldWriter(store.database)

    let failing = Task {
      try await store.database.write { transaction in
        transaction.afterCommit { never.add() }
        transaction.afterCommit(once: never) { never.add() }
        throw Refused()
      }
    }
    let writes = (0..<3).map { _ in
      Task {
        try await store.database.write { transaction in
          transaction.afterCommit { each.add() }
          try? transaction.savepoint {
            transaction.afterCommit { never.add() }
            transaction.afterCommit(once: never) { never.add() }
            throw Refused()
          }
          transaction.afterCommit(once: once) { once.add() }
          transaction.afterCommit(once: once) { once.add() }
        }
        return (each.value, once.value)
      }
    }
    try await held.letGo(when: 4, waitFor: store.database)

    await #expect(throws: Refused.self) { try await failing.value }
    for write in writes {
      let seen = try await write.value
      #expect(seen == (3, 1), "actions run before anybody who waits goes on")
    }
    #expect(never.value == 0)
  }

  @Test(arguments: StoreKind.allCases)
  func aSavepointIsUndoneAlone(_ kind: StoreKind) async throws {
    let store = try kind.open(migrations: Self.table)

    try await store.database.write { transaction in
      try transaction.database.execute(sql: "INSERT INTO notes VALUES ('before')")
      let undone = error(of: {
        try transaction.savepoint {
          try transaction.database.execute(sql: "INSERT INTO notes VALUES ('outer')")
          try transaction.savepoint { try transaction.database.execute(sql: "INSERT INTO notes VALUES ('inner')") }
          throw Refused()
        }
      })
      #expect(undone is Refused)
      try transaction.savepoint { try transaction.database.execute(sql: "INSERT INTO notes VALUES ('after')") }
    }

    let notes = try await store.database.read { try String.fetchAll($0, sql: "SELECT text FROM notes ORDER BY rowid") }
    #expect(notes == ["before", "after"])
  }

  @Test func aBlockingWriteFromInsideAWriteIsRefusedInsteadOfWaitingForItself() async throws {
    let store = try StoreKind.memory.open(migrations: Self.table)

    await #expect(throws: SQLiteStoreError.self) {
      try await store.database.write { _ in try store.database.writeBlocking { _ in } }
    }
    await #expect(throws: SQLiteStoreError.self) {
      try await store.database.write { _ in try store.database.readBlocking { _ in } }
    }
    await #expect(throws: SQLiteStoreError.self) {
      try await store.database.write { _ in try store.database.close() }
    }
  }

  private func write(_ number: Int, to database: SQLiteDatabase) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for index in 0..<number { group.addTask { try await insert("\(index)", into: database) } }
      try await group.waitForAll()
    }
  }
}

private func insert(_ text: String, into database: SQLiteDatabase) async throws {
  try await database.write { try $0.database.execute(sql: "INSERT INTO notes VALUES (?)", arguments: [text]) }
}

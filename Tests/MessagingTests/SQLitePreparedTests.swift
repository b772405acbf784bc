import GRDB
import MessagingSQLite
import Testing

@Suite("Prepared statements")
struct SQLitePreparedTests {
  private static let insertion = PreparedSQL("INSERT INTO things (number, word, bytes) VALUES (?, ?, ?)")
  private static let selection = PreparedSQL("SELECT number, word, bytes FROM things WHERE number = ?")
  private static let duplicate = PreparedSQL("INSERT INTO things (number, word) VALUES (?, ?) ON CONFLICT DO NOTHING")
  private static let listing = PreparedSQL("SELECT number, word FROM things WHERE number < ? ORDER BY number")
  private static let ill = PreparedSQL("INSERT INTO things (number, word) VALUES (?, ?)")

  private func store() async throws -> SQLiteDatabase {
    try SQLiteDatabase.inMemory(migrations: [
      SQLiteMigration(
        name: "things", sql: "CREATE TABLE things (number INTEGER PRIMARY KEY, word TEXT, bytes BLOB) STRICT")
    ])
  }

  @Test(
    arguments: [
      (1, "word", [1, 0, 255]), (2, "", []), (3, nil, nil), (4, "längere Wörter als fünfzehn Bytes ✓", [0]),
    ] as [(Int64, String?, [UInt8]?)])
  func whatIsBoundIsReadBackAsItWas(_ row: (number: Int64, word: String?, bytes: [UInt8]?)) async throws {
    let store = try await store()
    let read = try await store.write { transaction in
      #expect(try transaction.execute(Self.insertion, row.number, row.word, row.bytes) == 1)
      return try transaction.first(Self.selection, row.number) { row in
        (row.integer(0), row.textIfAny(1), row.bytes(2))
      }
    }

    #expect(read?.0 == row.number)
    #expect(read?.1 == row.word)
    #expect(read?.2 == row.bytes)
    try store.close()
  }

  @Test func aStatementTellsHowManyRowsItChanged() async throws {
    let store = try await store()
    let changes = try await store.write { transaction in
      [try transaction.execute(Self.duplicate, 1, "a"), try transaction.execute(Self.duplicate, 1, "b")]
    }

    #expect(changes == [1, 0])
    try store.close()
  }

  @Test func aFailureNamesItsStatementAndLeavesItUsable() async throws {
    let store = try await store()
    let messages = try await store.write { transaction in
      try transaction.execute(Self.ill, 1, "a")
      var messages: [String] = []
      do { try transaction.execute(Self.ill, 1, "again") } catch { messages.append("\(error)") }
      do { try transaction.execute(Self.ill, 2) } catch { messages.append("\(error)") }
      try transaction.execute(Self.ill, 2, "b")
      return messages
    }

    #expect(messages.count == 2)
    #expect(messages.first?.contains("UNIQUE constraint failed: things.number") == true)
    #expect(messages.first?.contains("INSERT INTO things") == true)
    #expect(messages.last?.contains("1 values for 2 parameters") == true)
    try store.close()
  }

  @Test func rowsComeInTheQueryOrder() async throws {
    let store = try await store()
    let words = try await store.write { transaction in
      for number in [3, 1, 2, 9] { try transaction.execute(Self.insertion, number, "word \(number)", nil as [UInt8]?) }
      return try transaction.all(Self.listing, 9) { $0.text(1) }
    }

    #expect(words == ["word 1", "word 2", "word 3"])
    try store.close()
  }

  @Test func aStatementMayRunWhileRowsOfAnotherAreRead() async throws {
    let store = try await store()
    let found = try await store.write { transaction in
      for number in [1, 2] { try transaction.execute(Self.insertion, number, "a word of more than sixteen", [1, 2]) }
      var found: [String?] = []
      try transaction.forEach(Self.listing, 10) { row in
        let number = row.integer(0)
        found.append(try transaction.first(Self.selection, number) { "\(number): \($0.text(1))" })
      }
      return found
    }

    #expect(found == ["1: a word of more than sixteen", "2: a word of more than sixteen"])
    try store.close()
  }

  @Test(arguments: [65_536, 65_537, 300_000])
  func valuesLargerThanTheRoomForThemAreBoundToo(_ size: Int) async throws {
    let store = try await store()
    let (word, bytes) = (String(repeating: "w", count: size), [UInt8](repeating: 7, count: size))
    let read = try await store.write { transaction in
      try transaction.execute(Self.insertion, 1, word, bytes)
      try transaction.execute(Self.insertion, 2, "small", [8])
      return try transaction.first(Self.selection, 1) { ($0.text(1), $0.bytes(2)) }
    }

    #expect(read?.0 == word)
    #expect(read?.1 == bytes)
    try store.close()
  }

  @Test func theRowIDOfAnInsertionIsKnown() async throws {
    let store = try await store()
    let rowID = try await store.write { transaction in
      try transaction.execute(Self.insertion, 42, "a", nil as [UInt8]?)
      return transaction.lastInsertedRowID
    }

    #expect(rowID == 42)
    try store.close()
  }

  @Test func aQuestionIsAskedOfAReadAndOfAWriteAlike() async throws {
    let store = try await store()
    let written = try await store.write { transaction in
      for (number, word) in [(2, "a word of more than sixteen"), (1, "a")] {
        try transaction.execute(Self.ill, number, word)
      }
      return try Self.words(in: transaction)
    }
    let read = try await store.read { try [Self.words(in: $0), Self.words(in: $0)] }

    #expect(written == ["a word of more than sixteen", "1: a", "2: a word of more than sixteen"])
    #expect(read == [written, written])
    try store.close()
  }

  private static func words(in reader: some SQLiteReader) throws -> [String] {
    [try reader.first(selection, 2) { $0.text(1) } ?? "none"]
      + (try reader.all(listing, 3) { "\($0.integer(0)): \($0.text(1))" })
  }
}

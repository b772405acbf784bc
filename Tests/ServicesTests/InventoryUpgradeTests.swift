import Foundation
import GRDB
import MessagingSQLite
import TestSupport
import Testing

@testable import Inventory

@Suite("A store of an earlier version", .timeLimit(.minutes(1)))
struct InventoryUpgradeTests {
  private static let migrations = MessagingMigrations.all + InventoryMigrations.all
  private static let rebuilding: Set = ["messaging-9-cheaper-check", "inventory-5-cheaper-check"]

  @Test func keepsItsEventsReservationsAndItemsWhenTheirTablesAreBuiltAnew() async throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("inventory.sqlite").path
    let before = try SQLiteDatabase.open(
      path: path, migrations: Self.migrations.filter { !Self.rebuilding.contains($0.name) })
    try await before.write { transaction in
      try transaction.database.execute(
        sql: """
          INSERT INTO processed_events VALUES
            ('inventory-service', 'event-1', 'parked', 2, 'ORDER_CREATED', 'order-1', 1, 'orders', 3, 4711, 1, 5);
          INSERT INTO reservations VALUES (7, 'reservation-1', 'order-1', 'RESERVED', '[["keyboard",2]]', NULL, 1, 2);
          INSERT INTO reservation_items VALUES ('keyboard', 'RESERVED', 7, 2);
          """)
    }
    try before.close()

    let fixture = try InventoryFixture(databasePath: path)
    let (event, reservation, items, strangers) = try fixture.database.readBlocking { database in
      (
        try Row.fetchOne(database, sql: "SELECT outcome, redrives, record_offset FROM processed_events"),
        try Row.fetchOne(database, sql: "SELECT sequence, order_id, status FROM reservations"),
        try Int.fetchOne(database, sql: "SELECT SUM(quantity) FROM reservation_items WHERE sequence = 7"),
        try Row.fetchAll(database, sql: "PRAGMA foreign_key_check").count
      )
    }

    #expect(event == ["outcome": "parked", "redrives": 2, "record_offset": 4711])
    #expect(reservation == ["sequence": 7, "order_id": "order-1", "status": "RESERVED"])
    #expect(items == 2)
    #expect(strangers == 0)
    try fixture.database.close()
  }

  @Test(arguments: [
    "processed_events", "reservations", "reservation_items", "outbox_messages", "outbox_pending", "outbox_publications",
    "key_cursors",
  ])
  func anInsertBuildsNoTemporaryTable(into table: String) throws {
    let fixture = try InventoryFixture()
    let steps = try fixture.database.readBlocking { database in
      let columns = try database.columns(in: table).map(\.name)
      let values = Array(repeating: "?", count: columns.count).joined(separator: ", ")
      return try Row.fetchAll(
        database, sql: "EXPLAIN INSERT INTO \(table) (\(columns.joined(separator: ", "))) VALUES (\(values))",
        arguments: StatementArguments(Array(repeating: 1, count: columns.count))
      ).map { $0["opcode"] as String }
    }

    #expect(steps.contains("Insert") || steps.contains("IdxInsert"))
    #expect(!steps.contains("OpenEphemeral"))
  }
}

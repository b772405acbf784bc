import ArgumentParser
import Foundation
import GRDB
import Inventory
import Messaging
import MessagingSQLite
import Notifications
import WireFormat

/// The statements of a consumer from a loop, a hundred events a transaction: no broker, no decoding, no decisions.
struct BareStatements: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "statements")

  enum Service: String, ExpressibleByArgument, CaseIterable {
    case inventory, notification
  }

  @Option var service: Service
  @Option var events = 50_000
  @Option var path: String

  func run() async throws {
    let migrations = service == .inventory ? InventoryMigrations.all : MailMigrations.all
    let database = try SQLiteDatabase.open(path: path, migrations: MessagingMigrations.all + migrations)
    defer { try? database.close() }
    let ids = UUIDv7Generator()
    let rows = (0..<events).map { _ in
      (event: ids.next(at: .now()).description, order: ids.next(at: .now()).description)
    }
    try await database.write { transaction in
      guard service == .inventory else { return }
      for number in 0..<20 {
        try transaction.database.execute(
          sql: "INSERT INTO products (product_id, name, on_hand) VALUES (?, 'P', 100000000)",
          arguments: ["p-\(number)"])
      }
    }
    let value = [UInt8](repeating: 0x61, count: 300)
    let headers = [UInt8](repeating: 0x62, count: 250)
    let start = ContinuousClock.now
    for first in stride(from: 0, to: rows.count, by: 100) {
      try database.writeBlocking { [service] transaction in
        for (number, row) in rows[first..<min(first + 100, rows.count)].enumerated() {
          try Self.common(row, number, in: transaction.database)
          switch service {
          case .inventory: try Self.reserve(row, number, value: value, headers: headers, in: transaction.database)
          case .notification: try Self.mail(row, in: transaction.database)
          }
        }
      }
    }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    print(#"{"events":\#(events),"seconds":\#(seconds),"events_per_second":\#(Double(events) / seconds)}"#)
  }

  private typealias Ids = (event: String, order: String)

  /// What every consumed event of `orders` writes.
  private static func common(_ row: Ids, _ number: Int, in database: Database) throws {
    try database.cachedStatement(
      sql: """
        INSERT INTO processed_events (consumer_group, event_id, outcome, event_type, event_key, version, topic,
          partition, record_offset, attempts, processed_at)
        VALUES ('inventory-service', ?, 'processed', 'ORDER_CREATED', ?, 1, 'orders', 0, ?, 1, 1795378867123)
        ON CONFLICT DO NOTHING
        """
    ).execute(arguments: [row.event, row.order, number])
    try database.cachedStatement(
      sql: "INSERT INTO key_cursors (consumer_group, event_key, version) VALUES ('inventory-service', ?, 1)"
    ).execute(arguments: [row.order])
  }

  private static func reserve(
    _ row: Ids, _ number: Int, value: [UInt8], headers: [UInt8], in database: Database
  ) throws {
    let setAside = try database.cachedStatement(
      sql: "UPDATE products SET reserved = reserved + 1 WHERE product_id = ? AND on_hand - reserved >= 1")
    let (first, second) = ("p-\(number % 20)", "p-\((number + 7) % 20)")
    try setAside.execute(arguments: [first])
    try setAside.execute(arguments: [second])
    try database.cachedStatement(
      sql: """
        INSERT INTO reservations (reservation_id, order_id, status, items, created_at, updated_at)
        VALUES (?, ?, 'RESERVED', '[["p-1",1],["p-8",1]]', 1795378867123, 1795378867123)
        ON CONFLICT (order_id) DO NOTHING
        """
    ).execute(arguments: [row.event, row.order])
    let sequence = database.lastInsertedRowID
    let item = try database.cachedStatement(
      sql: "INSERT INTO reservation_items (product_id, status, sequence, quantity) VALUES (?, 'RESERVED', ?, 1)")
    try item.execute(arguments: [first, sequence])
    try item.execute(arguments: [second, sequence])
    try database.cachedStatement(
      sql: """
        INSERT INTO outbox (created_at, event_id, event_type, topic, message_key, headers, message_value)
        VALUES (1795378867123, ?, 'INVENTORY_RESERVED', 'inventory', CAST(? AS BLOB), CAST(? AS BLOB), CAST(? AS BLOB))
        """
    ).execute(arguments: [row.event, Data(row.order.utf8), Data(headers), Data(value)])
  }

  private static func mail(_ row: Ids, in database: Database) throws {
    try database.cachedStatement(
      sql: """
        INSERT INTO emails (email_id, event_id, order_id, customer_id, kind, items, total, template_version, status,
          attempts, created_at, sent_at)
        VALUES (?, ?, ?, 'customer-42', 'ORDER_CREATED', '[["p-1",1,4990],["p-8",1,500]]', 5490, 1, 'SENT', 1,
          1795378867123, 1795378867123)
        ON CONFLICT (order_id, kind) DO NOTHING
        """
    ).execute(arguments: [row.event, row.event, row.order])
  }
}

import ArgumentParser
import Inventory
import MessagingSQLite
import Notifications
import Orders
import WireFormat

/// The statements of a consumer from a loop, a hundred events a transaction: no broker, no decoding, no decisions, and
/// SQLite called directly.
struct BareStatements: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "statements")

  enum Service: String, ExpressibleByArgument, CaseIterable {
    case order, inventory, notification
  }

  @Option var service: Service
  @Option var events = 50_000
  @Option var path: String

  func run() throws {
    let ids = UUIDv7Generator()
    let rows = (0..<events).map { number in
      Row(number: number, event: ids.next(at: .now()).description, order: ids.next(at: .now()).description)
    }
    try SQLiteDatabase.open(path: path, migrations: MessagingMigrations.all + service.migrations).close()
    let store = try BareStore(path: path)
    defer { store.close() }
    try prepare(store, for: rows)

    let effect = try service.effect(in: store)
    let start = ContinuousClock.now
    for first in stride(from: 0, to: rows.count, by: 100) {
      try store.transaction {
        for row in rows[first..<min(first + 100, rows.count)] { try effect(row) }
      }
    }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    print(#"{"events":\#(events),"seconds":\#(seconds),"events_per_second":\#(Double(events) / seconds)}"#)
  }

  /// What has to be there before the first event: stock, or orders that wait for their answer.
  private func prepare(_ store: BareStore, for rows: [Row]) throws {
    switch service {
    case .inventory:
      let product = try store.statement(
        "INSERT INTO products (product_id, name, on_hand) VALUES (?, 'P', 100000000)")
      for number in 0..<20 { try product.run(.text("p-\(number)")) }
    case .order:
      let order = try store.statement(Self.orderInsertion)
      try store.transaction {
        for row in rows { try order.run(.text(row.order), .text("customer-\(row.number % 1000)")) }
      }
    case .notification: break
    }
  }

  private static let orderInsertion = """
    INSERT INTO orders (order_id, customer_id, status, version, total, items, created_at, updated_at)
    VALUES (?, ?, 'PENDING', 1, 5490, '[["p-1",1,4990],["p-8",1,500]]', 1795378867123, 1795378867123)
    """
}

/// One event of one order.
private struct Row {
  var number: Int
  var event: String
  var order: String
}

extension BareStatements.Service {
  fileprivate var migrations: [SQLiteMigration] {
    switch self {
    case .order: OrderMigrations.all
    case .inventory: InventoryMigrations.all
    case .notification: MailMigrations.all
    }
  }

  /// All that the service writes for one event, prepared.
  fileprivate func effect(in store: BareStore) throws -> (Row) throws -> Void {
    switch self {
    case .order: try confirming(in: store)
    case .inventory: try reserving(in: store)
    case .notification: try mailing(in: store)
    }
  }

  private func registering(_ type: String, topic: String, in store: BareStore) throws -> (Row) throws -> Void {
    let registration = try store.statement(
      """
      INSERT INTO processed_events (consumer_group, event_id, outcome, event_type, event_key, version, topic,
        partition, record_offset, attempts, processed_at)
      VALUES ('\(self)-service', ?, 'processed', '\(type)', ?, 1, '\(topic)', 0, ?, 1, 1795378867123)
      ON CONFLICT DO NOTHING
      """)
    return { row in try registration.run(.text(row.event), .text(row.order), .integer(row.number)) }
  }

  private func movingCursor(in store: BareStore) throws -> (Row) throws -> Void {
    let cursor = try store.statement(
      """
      INSERT INTO key_cursors (consumer_group, event_key, version) VALUES (?, ?, 1)
      ON CONFLICT DO UPDATE SET version = 1 WHERE version = 0
      """)
    return { row in try cursor.run(.text("\(self)-service"), .text(row.order)) }
  }

  private func telling(_ type: String, topic: String, in store: BareStore) throws -> (Row) throws -> Void {
    let value = BareValue.bytes(Array(repeating: 0x61, count: 330))
    let headers = BareValue.bytes(Array(repeating: 0x62, count: 300))
    let outbox = try store.statement(
      """
      INSERT INTO outbox_messages (created_at, event_id, event_type, topic, message_key, headers, message_value)
      VALUES (1795378867123, ?, '\(type)', '\(topic)', ?, ?, ?)
      """)
    let pending = try store.statement("INSERT INTO outbox_pending (sequence) VALUES (last_insert_rowid())")
    return { row in
      try outbox.run(.text(row.event), .bytes(Array(row.order.utf8)), headers, value)
      try pending.run()
    }
  }

  private func confirming(in store: BareStore) throws -> (Row) throws -> Void {
    let register = try registering("INVENTORY_RESERVED", topic: "inventory", in: store)
    let order = try store.statement("SELECT * FROM orders WHERE order_id = ?")
    let confirmation = try store.statement(
      """
      UPDATE orders SET status = 'CONFIRMED', version = 2, updated_at = 1795378867456
      WHERE order_id = ? AND status = 'PENDING' AND version = 1
      """)
    let tell = try telling("ORDER_CONFIRMED", topic: "orders", in: store)
    return { row in
      try register(row)
      try order.run(.text(row.order))
      try confirmation.run(.text(row.order))
      try tell(row)
    }
  }

  private func reserving(in store: BareStore) throws -> (Row) throws -> Void {
    let register = try registering("ORDER_CREATED", topic: "orders", in: store)
    let moveCursor = try movingCursor(in: store)
    let setAside = try store.statement(
      "UPDATE products SET reserved = reserved + 1 WHERE product_id = ? AND on_hand - reserved >= 1")
    let reservation = try store.statement(
      """
      INSERT INTO reservations (reservation_id, order_id, status, items, created_at, updated_at)
      VALUES (?, ?, 'RESERVED', '[["p-1",1],["p-8",1]]', 1795378867123, 1795378867123)
      ON CONFLICT (order_id) DO NOTHING
      """)
    let item = try store.statement(
      "INSERT INTO reservation_items (product_id, status, sequence, quantity) VALUES (?, 'RESERVED', ?, 1)")
    let tell = try telling("INVENTORY_RESERVED", topic: "inventory", in: store)
    return { row in
      let products = [row.number % 20, (row.number + 7) % 20].map { BareValue.text("p-\($0)") }
      try register(row)
      try moveCursor(row)
      for product in products { try setAside.run(product) }
      try reservation.run(.text(row.event), .text(row.order))
      for product in products { try item.run(product, .integer(row.number + 1)) }
      try tell(row)
    }
  }

  private func mailing(in store: BareStore) throws -> (Row) throws -> Void {
    let register = try registering("ORDER_CREATED", topic: "orders", in: store)
    let moveCursor = try movingCursor(in: store)
    let mail = try store.statement(
      """
      INSERT INTO emails (email_id, event_id, order_id, customer_id, kind, items, total, template_version, status,
        attempts, created_at, sent_at)
      VALUES (?, ?, ?, 'customer-42', 'ORDER_CREATED', '[["p-1",1,4990],["p-8",1,500]]', 5490, 1, 'SENT', 1,
        1795378867123, 1795378867123)
      ON CONFLICT (order_id, kind) DO NOTHING
      """)
    return { row in
      try register(row)
      try moveCursor(row)
      try mail.run(.text(row.event), .text(row.event), .text(row.order))
    }
  }
}

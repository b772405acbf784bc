import EventSchema
import FaultInjection
import GRDB
import Messaging
import MessagingSQLite
import ServiceDefaults
import WireFormat

/// Reservations, each with what it tells the world: there is no way to write the one without the other. The event is
/// published at least once after the commit.
///
/// Writes belong to the caller's transaction.
public struct ReservationStore: Sendable {
  private let outbox: SQLiteOutbox
  private let ids: UUIDv7Generator
  private let eventSource: String
  private let signals: InstanceSignals?

  /// - Parameters:
  ///   - eventSource: the CloudEvents source that the events carry.
  ///   - signals: tell the other instances of changes; nil where there are none.
  public init(outbox: SQLiteOutbox, ids: UUIDv7Generator, eventSource: String, signals: InstanceSignals? = nil) {
    self.outbox = outbox
    self.ids = ids
    self.eventSource = eventSource
    self.signals = signals
  }

  /// The answer to an order as `database` sees it; nil where there is none.
  func find(_ orderID: OrderID, in database: Database) throws -> Reservation? {
    try row(of: orderID, in: database)?.reservation
  }

  /// Writes the answer to an order, and its event.
  ///
  /// - Parameters:
  ///   - version: the `order_version` of the event that is answered.
  ///   - trace: that of the event that is answered; a new one begins where there is none.
  /// - Returns: false, with nothing written, when the order has an answer already.
  func insert(
    _ reservation: Reservation, answering version: Int64, trace: TraceContext?, refusal: Refusal?,
    in transaction: SQLiteTransaction
  ) throws -> Bool {
    let database = transaction.database
    try database.cachedStatement(sql: Self.insertion).execute(arguments: [
      reservation.id.rawValue, reservation.orderID.rawValue, reservation.status.rawValue,
      StoredItems.encode(reservation.items), reservation.reason, reservation.createdAt.millisecondsSinceEpoch,
      reservation.updatedAt.millisecondsSinceEpoch,
    ])
    guard database.changesCount == 1 else { return false }

    let sequence = database.lastInsertedRowID
    let itemInsertion = try database.cachedStatement(sql: Self.itemInsertion)
    for item in reservation.items {
      try itemInsertion.execute(
        arguments: [item.productID.rawValue, reservation.status.rawValue, sequence, item.quantity])
    }
    try tell(reservation, answering: version, trace: trace, refusal: refusal, in: transaction)
    return true
  }

  /// Writes that `reservation` was released, and its event.
  ///
  /// - Returns: false, with nothing written, when it is not `RESERVED` in the store.
  func release(
    _ reservation: Reservation, answering version: Int64, trace: TraceContext?, in transaction: SQLiteTransaction
  ) throws -> Bool {
    let database = transaction.database
    guard let sequence = try row(of: reservation.orderID, in: database)?.sequence else { return false }
    try database.cachedStatement(sql: Self.release).execute(
      arguments: [reservation.reason, reservation.updatedAt.millisecondsSinceEpoch, sequence])
    guard database.changesCount == 1 || Mutation.releaseTwice.isOn else { return false }

    let itemRelease = try database.cachedStatement(sql: Self.itemRelease)
    for item in reservation.items {
      try itemRelease.execute(arguments: [item.productID.rawValue, sequence])
    }
    try tell(reservation, answering: version, trace: trace, refusal: nil, in: transaction)
    return true
  }

  /// Writes that the order was cancelled before anything was reserved for it. A second time is as good as the first.
  func bury(_ orderID: OrderID, reason: String, at now: Timestamp, in transaction: SQLiteTransaction) throws {
    try transaction.database.cachedStatement(sql: Self.burial)
      .execute(arguments: [orderID.rawValue, reason, now.millisecondsSinceEpoch])
  }

  /// Whether the order was cancelled before anything was reserved for it.
  func isBuried(_ orderID: OrderID, in database: Database) throws -> Bool {
    try database.firstRow(Self.tombstone, [orderID.rawValue]) { _ in true } ?? false
  }

  private func row(of orderID: OrderID, in database: Database) throws -> ReservationRow? {
    try database.firstRow(Self.selection, [orderID.rawValue]) { try ReservationRow($0) }
  }

  private func tell(
    _ reservation: Reservation, answering version: Int64, trace: TraceContext?, refusal: Refusal?,
    in transaction: SQLiteTransaction
  ) throws {
    let event = reservation.event(
      id: .next(from: ids, at: reservation.updatedAt), answering: version, refusal: refusal)
    try Failpoint.inventoryAnswering.hit(reservation.orderID.rawValue)
    try outbox.append(
      OutboxMessage(event: event, source: eventSource, trace: ids.next(in: trace)), in: transaction)
    signals?.tellChange(of: reservation.orderID.rawValue, after: transaction)
  }
}

extension ReservationStore {
  private static let selection = "SELECT \(ReservationRow.columns) FROM reservations WHERE order_id = ?"

  private static let insertion = """
    INSERT INTO reservations (reservation_id, order_id, status, items, reason, created_at, updated_at)
    VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (order_id) DO NOTHING
    """

  private static let burial = """
    INSERT INTO reservation_tombstones (order_id, reason, cancelled_at) VALUES (?, ?, ?)
    ON CONFLICT (order_id) DO NOTHING
    """

  private static let tombstone = "SELECT 1 FROM reservation_tombstones WHERE order_id = ?"

  private static let itemInsertion = """
    INSERT INTO reservation_items (product_id, status, sequence, quantity) VALUES (?, ?, ?, ?)
    """

  private static let release = """
    UPDATE reservations SET status = 'RELEASED', reason = ?, updated_at = ?
    WHERE sequence = ? AND status = 'RESERVED'
    """

  private static let itemRelease = """
    UPDATE reservation_items SET status = 'RELEASED'
    WHERE product_id = ? AND status = 'RESERVED' AND sequence = ?
    """
}

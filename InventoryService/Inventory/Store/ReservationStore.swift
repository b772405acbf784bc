import EventSchema
import FaultInjection
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

  /// The answer to an order as `reader` sees it; nil where there is none.
  func find(_ orderID: OrderID, in reader: some SQLiteReader) throws -> Reservation? {
    try row(of: orderID, in: reader)?.reservation
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
    let inserted = try transaction.execute(
      Self.insertion, reservation.id.rawValue, reservation.orderID.rawValue, reservation.status.rawValue,
      StoredItems.encode(reservation.items), reservation.reason, reservation.createdAt.millisecondsSinceEpoch,
      reservation.updatedAt.millisecondsSinceEpoch)
    guard inserted == 1 else { return false }

    let sequence = transaction.lastInsertedRowID
    for item in reservation.items {
      try transaction.execute(
        Self.itemInsertion, item.productID.rawValue, reservation.status.rawValue, sequence, item.quantity)
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
    guard let sequence = try row(of: reservation.orderID, in: transaction)?.sequence else { return false }
    let released = try transaction.execute(
      Self.release, reservation.reason, reservation.updatedAt.millisecondsSinceEpoch, sequence)
    guard released == 1 || Mutation.releaseTwice.isOn else { return false }

    for item in reservation.items {
      try transaction.execute(Self.itemRelease, item.productID.rawValue, sequence)
    }
    try tell(reservation, answering: version, trace: trace, refusal: nil, in: transaction)
    return true
  }

  /// Writes that the order was cancelled before anything was reserved for it. A second time is as good as the first.
  func bury(_ orderID: OrderID, reason: String, at now: Timestamp, in transaction: SQLiteTransaction) throws {
    try transaction.execute(Self.burial, orderID.rawValue, reason, now.millisecondsSinceEpoch)
  }

  /// Whether the order was cancelled before anything was reserved for it.
  func isBuried(_ orderID: OrderID, in reader: some SQLiteReader) throws -> Bool {
    try reader.first(Self.tombstone, orderID.rawValue) { _ in true } ?? false
  }

  private func row(of orderID: OrderID, in reader: some SQLiteReader) throws -> ReservationRow? {
    try reader.first(Self.selection, orderID.rawValue) { try ReservationRow($0) }
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
  private static let selection = PreparedSQL("SELECT \(ReservationRow.columns) FROM reservations WHERE order_id = ?")

  private static let insertion = PreparedSQL(
    """
    INSERT INTO reservations (reservation_id, order_id, status, items, reason, created_at, updated_at)
    VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (order_id) DO NOTHING
    """)

  private static let burial = PreparedSQL(
    """
    INSERT INTO reservation_tombstones (order_id, reason, cancelled_at) VALUES (?, ?, ?)
    ON CONFLICT (order_id) DO NOTHING
    """)

  private static let tombstone = PreparedSQL("SELECT 1 FROM reservation_tombstones WHERE order_id = ?")

  private static let itemInsertion = PreparedSQL(
    """
    INSERT INTO reservation_items (product_id, status, sequence, quantity) VALUES (?, ?, ?, ?)
    """)

  private static let release = PreparedSQL(
    """
    UPDATE reservations SET status = 'RELEASED', reason = ?, updated_at = ?
    WHERE sequence = ? AND status = 'RESERVED'
    """)

  private static let itemRelease = PreparedSQL(
    """
    UPDATE reservation_items SET status = 'RELEASED'
    WHERE product_id = ? AND status = 'RESERVED' AND sequence = ?
    """)
}

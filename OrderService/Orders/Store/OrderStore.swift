import EventSchema
import FaultInjection
import Messaging
import MessagingSQLite
import ServiceDefaults
import WireFormat

/// Orders, each with what it tells the world: there is no way to write the one without the other. The event is
/// published at least once after the commit, and an order's events in the order of their versions.
///
/// Writes belong to the caller's transaction; requests that wait for the order are woken when it has been committed.
public struct OrderStore: Sendable {
  private let outbox: SQLiteOutbox
  private let waiters: OrderWaiters
  private let ids: UUIDv7Generator
  private let eventSource: String

  /// - Parameter eventSource: the CloudEvents source that the events carry.
  public init(outbox: SQLiteOutbox, waiters: OrderWaiters, ids: UUIDv7Generator, eventSource: String) {
    self.outbox = outbox
    self.waiters = waiters
    self.ids = ids
    self.eventSource = eventSource
  }

  /// Encodes an order that begins, so that the one thread that writes has only to insert it.
  ///
  /// - Parameter trace: what its event goes on with; a new trace begins where there is none.
  public func prepare(_ order: Order, trace: TraceContext?) -> PreparedOrder {
    PreparedOrder(
      order: order, items: StoredOrderItems.encode(order.items), message: message(of: order, trace: trace))
  }

  /// Writes an order that begins, and its event.
  public func insert(_ prepared: PreparedOrder, in transaction: SQLiteTransaction) throws {
    let order = prepared.order
    try transaction.execute(
      Self.insertion, order.id.rawValue, order.customerID.rawValue, order.status.rawValue, order.version,
      order.total.minorUnits, prepared.items, order.createdAt.millisecondsSinceEpoch,
      order.updatedAt.millisecondsSinceEpoch)
    try Failpoint.orderAfterRow.hit(order.id.rawValue)
    try outbox.append(prepared.message, in: transaction)
  }

  /// Writes an order after a step, and the step's event. The row is only touched where it stands right before the step.
  ///
  /// - Parameter trace: what its event goes on with; a new trace begins where there is none.
  /// - Throws: ``OrderChangedMeanwhile``, with nothing written, when it stands elsewhere.
  public func update(_ order: Order, trace: TraceContext?, in transaction: SQLiteTransaction) throws {
    let changed = try transaction.execute(
      Self.update(to: order.status), order.version, order.reason, order.updatedAt.millisecondsSinceEpoch,
      order.id.rawValue, order.version - 1)
    guard changed == 1 else { throw OrderChangedMeanwhile(orderID: order.id) }
    try Failpoint.orderSettling.hit(order.id.rawValue)
    try outbox.append(message(of: order, trace: trace), in: transaction)
    waiters.wake(order.id, after: transaction)
  }

  /// The order as `reader` sees it.
  ///
  /// - Throws: ``UnknownOrder``
  public func order(_ id: OrderID, in reader: some SQLiteReader) throws -> Order {
    guard let order = try reader.first(Self.selection, id.rawValue, read: { try OrderRow($0).order }) else {
      throw UnknownOrder(orderID: id)
    }
    return order
  }

  /// Whether there is such an order, without reading it.
  public func contains(_ id: OrderID, in reader: some SQLiteReader) throws -> Bool {
    try reader.first(Self.existence, id.rawValue) { _ in true } ?? false
  }

  private func message(of order: Order, trace: TraceContext?) -> OutboxMessage {
    let eventID = EventID.next(from: ids, at: order.updatedAt)
    return OutboxMessage(event: order.event(id: eventID), source: eventSource, trace: ids.next(in: trace))
  }
}

/// An order that begins, encoded.
public struct PreparedOrder: Sendable {
  let order: Order
  let items: String
  let message: OutboxMessage
}

extension OrderStore {
  private static let insertion = PreparedSQL(
    """
    INSERT INTO orders (order_id, customer_id, status, version, total, items, created_at, updated_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    """)

  private static let selection = PreparedSQL("SELECT \(OrderRow.columns) FROM orders WHERE order_id = ?")
  private static let existence = PreparedSQL("SELECT 1 FROM orders WHERE order_id = ?")

  /// The guard of the domain once more, in the store: a step that starts anywhere else finds no row.
  private static func update(to status: OrderStatus) -> PreparedSQL {
    switch status {
    case .pending: updateToPending
    case .confirmed: updateToConfirmed
    case .rejected: updateToRejected
    case .cancelled: updateToCancelled
    }
  }

  private static let updateToPending = makeUpdate(to: .pending)
  private static let updateToConfirmed = makeUpdate(to: .confirmed)
  private static let updateToRejected = makeUpdate(to: .rejected)
  private static let updateToCancelled = makeUpdate(to: .cancelled)

  private static func makeUpdate(to status: OrderStatus) -> PreparedSQL {
    let predecessors = status.predecessors.map { "'\($0.rawValue)'" }.joined(separator: ", ")
    return PreparedSQL(
      """
      UPDATE orders SET status = '\(status.rawValue)', version = ?, reason = ?, updated_at = ?
      WHERE order_id = ? AND status IN (\(predecessors)) AND version = ?
      """)
  }
}

import EventSchema
import FaultInjection
import MessagingSQLite
import WireFormat

/// Confirms an order whose items are all reserved. An order that has been settled already, cancelled in the meantime
/// above all, stays as it is, and nothing is told: its `ORDER_CANCELLED` releases the reservation.
public struct ConfirmOrder: Sendable {
  private let orders: OrderStore
  private let now: @Sendable () -> Timestamp

  public init(orders: OrderStore, now: @escaping @Sendable () -> Timestamp) {
    self.orders = orders
    self.now = now
  }

  /// Writes in the caller's transaction.
  ///
  /// - Parameter trace: that of the event that confirms.
  /// - Throws: ``UnknownOrder``
  public func callAsFunction(_ orderID: OrderID, trace: TraceContext?, in transaction: SQLiteTransaction) throws {
    let order = try orders.order(orderID, in: transaction)
    guard !order.status.isSettled || Mutation.lastWriteWins.isOn else { return }
    try orders.update(try order.confirmed(at: now()), trace: trace, in: transaction)
  }
}

import EventSchema
import FaultInjection
import MessagingSQLite
import WireFormat

/// Rejects an order that cannot be served. An order that has been settled already stays as it is, and nothing is told.
public struct RejectOrder: Sendable {
  private let orders: OrderStore
  private let now: @Sendable () -> Timestamp

  public init(orders: OrderStore, now: @escaping @Sendable () -> Timestamp) {
    self.orders = orders
    self.now = now
  }

  /// Writes in the caller's transaction.
  ///
  /// - Parameter trace: that of the event that rejects.
  /// - Throws: ``UnknownOrder``
  public func callAsFunction(
    _ orderID: OrderID, reason: String, trace: TraceContext?, in transaction: SQLiteTransaction
  ) throws {
    let order = try orders.order(orderID, in: transaction)
    guard !order.status.isSettled || Mutation.lastWriteWins.isOn else { return }
    try orders.update(try order.rejected(reason: reason, at: now()), trace: trace, in: transaction)
  }
}

import EventSchema
import FaultInjection
import MessagingSQLite
import WireFormat

/// Cancels an order for its customer, also while its reservation is on the way: what is reserved for it, then or
/// later, is released by whoever hears `ORDER_CANCELLED`. Cancelling twice is the same as once; the first reason stays.
public struct CancelOrder: Sendable {
  /// The reason where the customer gives none.
  public static let reasonWhenNoneIsGiven = "cancelled by the customer"

  private let database: SQLiteDatabase
  private let orders: OrderStore
  private let now: @Sendable () -> Timestamp

  public init(database: SQLiteDatabase, orders: OrderStore, now: @escaping @Sendable () -> Timestamp) {
    self.database = database
    self.orders = orders
    self.now = now
  }

  /// Returns after the synced commit.
  ///
  /// - Parameter trace: that of the request; a new one begins where there is none.
  /// - Throws: ``UnknownOrder``; ``TransitionRefused`` when the order was rejected.
  public func callAsFunction(
    _ orderID: OrderID, reason: String?, trace: TraceContext? = nil
  ) async throws -> Order {
    let now = now()
    let cancelled = try await database.write { [orders] transaction in
      let order = try orders.order(orderID, in: transaction)
      guard order.status != .cancelled else { return order }

      let cancelled = try order.cancelled(reason: reason ?? Self.reasonWhenNoneIsGiven, at: now)
      try orders.update(cancelled, trace: trace, in: transaction)
      return cancelled
    }
    Failpoint.orderCancelled.pass(orderID.rawValue)
    return cancelled
  }
}

import EventSchema
import FaultInjection
import MessagingSQLite
import WireFormat

/// Gives back what is set aside for an order that was cancelled, once. Where nothing is, because the order was rejected
/// or has been released, nothing happens and nothing is told.
///
/// A cancellation that comes before its order leaves a tombstone: whatever asks for a reservation later gets none. The
/// version rule of the inbox parks such a cancellation, as a rule; but an `ORDER_CREATED` that was given up, and
/// discarded, lets it pass, and may yet come again.
public struct ReleaseStock: Sendable {
  private let products: ProductStore
  let reservations: ReservationStore
  private let now: @Sendable () -> Timestamp

  public init(
    products: ProductStore, reservations: ReservationStore, now: @escaping @Sendable () -> Timestamp
  ) {
    self.products = products
    self.reservations = reservations
    self.now = now
  }

  /// Writes in the caller's transaction.
  ///
  /// - Parameters:
  ///   - version: the `order_version` of the event that cancels.
  ///   - trace: that of the same event.
  public func callAsFunction(
    _ orderID: OrderID, reason: String, answering version: Int64, trace: TraceContext?,
    in transaction: SQLiteTransaction
  ) throws {
    guard let reservation = try reservations.find(orderID, in: transaction) else {
      return try reservations.bury(orderID, reason: reason, at: now(), in: transaction)
    }
    guard let released = reservation.released(reason: reason, at: now()) else { return }

    guard try reservations.release(released, answering: version, trace: trace, in: transaction) else { return }
    try Failpoint.inventoryReleasing.hit(orderID.rawValue)
    try products.giveBack(released.items, in: transaction)
  }
}

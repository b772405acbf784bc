import EventSchema
import FaultInjection
import MessagingSQLite
import WireFormat

/// Answers an order: sets all of its items aside, or none, and tells the world which.
///
/// Two orders never get the same piece: a piece is taken by one guarded update in the store's only write transaction.
/// An order that has an answer already keeps it, and nothing is told again. One whose cancellation came first gets
/// none at all: nothing is set aside, nothing is told.
public struct ReserveStock: Sendable {
  private let products: ProductStore
  private let reservations: ReservationStore
  private let ids: UUIDv7Generator
  private let now: @Sendable () -> Timestamp

  public init(
    products: ProductStore, reservations: ReservationStore, ids: UUIDv7Generator,
    now: @escaping @Sendable () -> Timestamp
  ) {
    self.products = products
    self.reservations = reservations
    self.ids = ids
    self.now = now
  }

  /// Writes in the caller's transaction.
  ///
  /// - Parameters:
  ///   - version: the `order_version` of the event that asks.
  ///   - trace: that of the same event.
  public func callAsFunction(
    _ orderID: OrderID, items: [ReservedItem], answering version: Int64, trace: TraceContext?,
    in transaction: SQLiteTransaction
  ) throws {
    guard try !reservations.isBuried(orderID, in: transaction) || Mutation.cancellationForgotten.isOn else {
      return
    }
    let now = now()
    let refusal = try products.setAside(items, in: transaction)
    let reservation = Reservation.answering(
      orderID, items: items, refusal: refusal, id: .next(from: ids, at: now), at: now)

    try Failpoint.inventorySetAside.hit(orderID.rawValue)
    guard
      try reservations.insert(reservation, answering: version, trace: trace, refusal: refusal, in: transaction)
    else {
      if refusal == nil { try products.giveBack(items, in: transaction) }
      return
    }
  }
}

import EventSchema
import Messaging
import MessagingSQLite

/// What inventory does for the events of `orders`, in the transaction of the inbox: an order that begins is answered,
/// one that is cancelled gives back what it had. The order's other events are without effect here.
struct OrderEvents: Sendable {
  /// The events that have an effect.
  static let handledTypes: Set<EventType> = [.orderCreated, .orderCancelled]

  let reserveStock: ReserveStock
  let releaseStock: ReleaseStock

  func handle(_ event: Event, _ delivery: Delivery, _ transaction: SQLiteTransaction) throws {
    let order = event.envelope.orderID
    let version = event.envelope.orderVersion
    switch event.payload {
    case .orderCreated(let created):
      let items = created.items.map { ReservedItem(productID: $0.productID, quantity: $0.quantity) }
      try reserveStock(order, items: items, answering: version, trace: delivery.trace, in: transaction)
    case .orderCancelled(let cancelled):
      try releaseStock(
        order, reason: cancelled.reason, answering: version, trace: delivery.trace, in: transaction)
    case .orderConfirmed, .orderRejected, .inventoryReserved, .inventoryRejected, .inventoryReleased:
      break
    }
  }
}

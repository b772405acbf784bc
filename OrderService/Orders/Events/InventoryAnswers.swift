import EventSchema
import Messaging
import MessagingSQLite

/// What the inventory answers to an order. The door from topic `inventory`: runs in the inbox's transaction, at most
/// once in effect for each event. Whatever order the answers come in, a step that cannot start where the order stands
/// changes nothing and tells nothing.
struct InventoryAnswers: Sendable {
  static let handledTypes: Set<EventType> = [.inventoryReserved, .inventoryRejected, .inventoryReleased]

  let confirmOrder: ConfirmOrder
  let rejectOrder: RejectOrder
  let orders: OrderStore

  /// - Throws: `DeadLetterError` for an order that this service does not have.
  func handle(_ event: Event, _ delivery: Delivery, _ transaction: SQLiteTransaction) throws {
    let orderID = event.envelope.orderID
    do {
      switch event.payload {
      case .inventoryReserved:
        try confirmOrder(orderID, trace: delivery.trace, in: transaction)
      case .inventoryRejected(let rejection):
        try rejectOrder(orderID, reason: rejection.reason.rawValue, trace: delivery.trace, in: transaction)
      case .inventoryReleased:
        // The order was cancelled before its stock came back: there is nothing left to do but to know the order.
        guard try orders.contains(orderID, in: transaction) else { throw UnknownOrder(orderID: orderID) }
      case .orderCreated, .orderConfirmed, .orderRejected, .orderCancelled:
        break
      }
    } catch let error as UnknownOrder {
      throw DeadLetterError("UNKNOWN_ORDER: \(error)")
    }
  }
}

import EventSchema
import Messaging
import MessagingSQLite

/// What notification does for the events of `orders`, in the transaction of the inbox: each becomes a mail.
struct OrderEvents: Sendable {
  /// The events that have an effect.
  static let handledTypes: Set<EventType> = [.orderCreated, .orderConfirmed, .orderRejected, .orderCancelled]

  let notifyCustomer: NotifyCustomer

  func handle(_ event: Event, _ delivery: Delivery, _ transaction: SQLiteTransaction) throws {
    guard let step = OrderStep(event) else { return }
    try notifyCustomer(step, in: transaction)
  }
}

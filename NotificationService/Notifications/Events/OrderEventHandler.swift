import EventSchema
import Messaging
import MessagingSQLite

/// What notification does for the events of `orders`, in the transaction of the inbox: each becomes a mail.
public struct OrderEventHandler: Sendable {
  /// The events that have an effect.
  public static let handledTypes: Set<EventType> = [.orderCreated, .orderConfirmed, .orderRejected, .orderCancelled]

  private let notifyCustomer: NotifyCustomer

  public init(notifyCustomer: NotifyCustomer) {
    self.notifyCustomer = notifyCustomer
  }

  public func callAsFunction(_ event: Event, _ delivery: Delivery, _ transaction: SQLiteTransaction) throws {
    guard let step = OrderStep(event) else { return }
    try notifyCustomer(step, in: transaction)
  }
}

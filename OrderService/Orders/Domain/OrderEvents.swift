import EventSchema

extension Order {
  /// The fact that the last step tells the world: its version is the order's, its time that of the step.
  public func event(id eventID: EventID) -> Event {
    Event(
      envelope: EventEnvelope(eventID: eventID, orderID: id, orderVersion: version, timestamp: updatedAt),
      payload: payload)
  }

  private var payload: EventPayload {
    switch status {
    case .pending:
      .orderCreated(OrderCreated(customerID: customerID, items: items, total: total))
    case .confirmed:
      .orderConfirmed(OrderConfirmed(customerID: customerID, items: items, total: total))
    case .rejected:
      .orderRejected(OrderRejected(customerID: customerID, items: items, total: total, reason: reason ?? ""))
    case .cancelled:
      .orderCancelled(OrderCancelled(customerID: customerID, items: items, total: total, reason: reason ?? ""))
    }
  }
}

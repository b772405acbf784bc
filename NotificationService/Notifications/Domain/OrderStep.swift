import EventSchema

/// A step of an order that its customer is told of.
public struct OrderStep: Sendable, Hashable {
  public let eventID: EventID
  public let orderID: OrderID
  public let customerID: CustomerID
  public let kind: MailKind
  public let items: [OrderItem]
  public let total: Money
  public let reason: String?

  /// Nil for an event that customers are not told of.
  public init?(_ event: Event) {
    switch event.payload {
    case .orderCreated(let created):
      self.init(event, .orderCreated, created.customerID, created.items, created.total)
    case .orderConfirmed(let confirmed):
      self.init(event, .orderConfirmed, confirmed.customerID, confirmed.items, confirmed.total)
    case .orderRejected(let rejected):
      self.init(event, .orderRejected, rejected.customerID, rejected.items, rejected.total, rejected.reason)
    case .orderCancelled(let cancelled):
      self.init(event, .orderCancelled, cancelled.customerID, cancelled.items, cancelled.total, cancelled.reason)
    case .inventoryReserved, .inventoryRejected, .inventoryReleased:
      return nil
    }
  }

  private init(
    _ event: Event, _ kind: MailKind, _ customerID: CustomerID, _ items: [OrderItem], _ total: Money,
    _ reason: String? = nil
  ) {
    self.eventID = event.envelope.eventID
    self.orderID = event.envelope.orderID
    self.customerID = customerID
    self.kind = kind
    self.items = items
    self.total = total
    self.reason = reason
  }
}

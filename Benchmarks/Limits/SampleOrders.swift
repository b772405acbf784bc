import EventSchema
import Messaging
import ServiceDefaults
import WireFormat

/// The events of orders as OrderService publishes them.
struct SampleOrders {
  private let ids = UUIDv7Generator()

  /// `ORDER_CREATED` of `count` new orders, two items each.
  func created(_ count: Int) -> [Event] {
    let products = (0..<20).compactMap { ProductID("p-\($0)") }
    let customers = (0..<1000).compactMap { CustomerID("customer-\($0)") }
    return (0..<count).map { number in
      let now = Timestamp.now()
      let items = [
        OrderItem(productID: products[number % 20], quantity: 1, unitPrice: Money(minorUnits: 4990)),
        OrderItem(productID: products[(number + 7) % 20], quantity: 1, unitPrice: Money(minorUnits: 500)),
      ]
      return Event(
        envelope: EventEnvelope(
          eventID: .next(from: ids, at: now), orderID: .next(from: ids, at: now), orderVersion: 1, timestamp: now),
        payload: .orderCreated(
          OrderCreated(
            customerID: customers[number % 1000], items: items, total: Money(minorUnits: 5490))))
    }
  }

  func messages(_ count: Int) -> [OutgoingMessage] {
    created(count).map { OutboxMessage(event: $0, source: "/order-service").message }
  }
}

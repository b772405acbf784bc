import EventSchema
import Messaging
import ServiceDefaults
import WireFormat

/// Events as the services publish them, with the headers and the trace that those have.
struct SampleOrders {
  private let ids = UUIDv7Generator()
  private let products = (0..<20).compactMap { ProductID("p-\($0)") }
  private let customers = (0..<1000).compactMap { CustomerID("customer-\($0)") }

  /// `ORDER_CREATED` of `count` new orders, two items each.
  func created(_ count: Int) -> [OutgoingMessage] {
    (0..<count).map { number in
      let items = [
        OrderItem(productID: products[number % 20], quantity: 1, unitPrice: Money(minorUnits: 4990)),
        OrderItem(productID: products[(number + 7) % 20], quantity: 1, unitPrice: Money(minorUnits: 500)),
      ]
      let created = OrderCreated(customerID: customers[number % 1000], items: items, total: Money(minorUnits: 5490))
      return message(.orderCreated(created), order: .next(from: ids, at: .now()), source: "/order-service")
    }
  }

  /// `INVENTORY_RESERVED` for each of these orders.
  func reserved(_ orders: [OrderID]) -> [OutgoingMessage] {
    orders.enumerated().map { number, order in
      let items = [number % 20, (number + 7) % 20].map { ReservedItem(productID: products[$0], quantity: 1) }
      let reserved = InventoryReserved(reservationID: .next(from: ids, at: .now()), items: items)
      return message(.inventoryReserved(reserved), order: order, source: "/inventory-service")
    }
  }

  private func message(_ payload: EventPayload, order: OrderID, source: String) -> OutgoingMessage {
    let now = Timestamp.now()
    let envelope = EventEnvelope(
      eventID: .next(from: ids, at: now), orderID: order, orderVersion: 1, timestamp: now)
    let event = Event(envelope: envelope, payload: payload)
    return OutboxMessage(event: event, source: source, trace: ids.next(in: nil)).message
  }
}

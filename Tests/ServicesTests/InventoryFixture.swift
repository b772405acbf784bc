import EventSchema
import Foundation
import GRDB
import Hummingbird
import HummingbirdTesting
import Logging
import Messaging
import MessagingSQLite
import ServiceDefaults
import ServiceLifecycle
import TestSupport
import Testing
import WireFormat

@testable import Inventory

/// InventoryService as it is wired, over SQLite in memory and a broker in memory. Nothing runs by itself: tests hand in
/// the orders' events.
struct InventoryFixture: Sendable {
  let broker: InMemoryBroker
  let database: SQLiteDatabase
  let orderEvents: OrderEvents
  let http: RouteClient
  private let server: Application<ServiceResponder>
  /// The service's own long-lived parts, for ``running(_:_:)``.
  let services: [any Service]

  /// - Parameters:
  ///   - databasePath: two fixtures over one file are two instances of the service.
  ///   - broker: nil for one of its own.
  init(databasePath: String = ":memory:", broker: InMemoryBroker? = nil) throws {
    let identity = InventoryApplication.identity
    let broker =
      broker ?? InMemoryBroker(topics: Dictionary(uniqueKeysWithValues: identity.topics.map { ($0, 2) }))
    self.broker = broker
    var configuration = ServiceConfiguration(identity: identity)
    configuration.databasePath = databasePath
    let application = try InventoryApplication(
      configuration: configuration, broker: broker, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    database = application.database
    orderEvents = application.orderEvents
    http = RouteClient(router: application.router)
    server = ServiceHTTP.application(router: application.router)
    services = application.services
  }

  /// The routes behind a socket.
  func listening<Result: Sendable>(_ body: @Sendable (ServiceClient) async throws -> Result) async throws -> Result {
    try await server.test(.live) { client in
      try await body(ServiceClient(base: "http://127.0.0.1:\(try #require(client.port))"))
    }
  }

  // MARK: Setup

  @discardableResult
  func stock(_ product: String, _ onHand: Int64) async throws -> Product {
    let stockProduct = StockProduct(database: database, products: ProductStore())
    return try await stockProduct(try productID(product), name: "A \(product)", onHand: onHand).product
  }

  /// Hands the door what the consumer worker hands to it, in one transaction.
  func deliver(_ events: [Event]) async throws {
    try await database.write { [orderEvents] transaction in
      for event in events { try orderEvents.handle(event, delivery(of: event), transaction) }
    }
  }

  func deliver(_ events: Event...) async throws { try await deliver(events) }

  // MARK: What came of it

  func product(_ id: String) async throws -> Product {
    try await GetProduct(database: database, products: ProductStore())(try productID(id))
  }

  func reservation(_ order: String) async throws -> Reservation? {
    let store = orderEvents.releaseStock.reservations
    let orderID = try #require(OrderID(order))
    return try await database.read { try store.find(orderID, in: $0) }
  }

  /// What the outbox has to tell, in the order of its publication.
  ///
  /// - Parameter order: nil for every order.
  func told(of order: OrderID? = nil) async throws -> [Event] {
    try await outboxEvents(of: database, order: order)
  }

  /// Products of which `reserved` is not the sum over the reservations that are RESERVED, by either way of summing.
  func productsOutOfBalance() async throws -> [String] {
    try await database.read { database in
      try String.fetchAll(
        database,
        sql: """
          SELECT product_id FROM products AS p
          WHERE reserved <> (
              SELECT coalesce(sum(quantity), 0) FROM reservation_items AS i
              WHERE i.product_id = p.product_id AND i.status = 'RESERVED')
            OR reserved <> (
              SELECT coalesce(sum(item.value ->> 1), 0) FROM reservations AS r, json_each(r.items) AS item
              WHERE r.status = 'RESERVED' AND item.value ->> 0 = p.product_id)
            OR on_hand < reserved
          """)
    }
  }
}

// MARK: - Events of orders

func delivery(of event: Event) -> Delivery {
  Delivery(
    identity: EventIdentity(
      eventID: event.envelope.eventID.rawValue, eventType: event.type.rawValue,
      key: event.envelope.orderID.rawValue, version: event.envelope.orderVersion),
    topicPartition: TopicPartition("orders", 0), offset: 0, attempt: 1)
}

func productID(_ id: String) throws -> ProductID { try #require(ProductID(id)) }

/// Makes the events of orders. Each has an id of its own.
struct OrderScript: Sendable {
  let orderID: OrderID
  let customerID: CustomerID
  let items: [OrderItem]
  let total: Money
  private let ids = UUIDv7Generator()

  init(_ order: String, customer: String = "ada", _ items: [(product: String, quantity: Int)]) throws {
    orderID = try #require(OrderID(order))
    customerID = try #require(CustomerID(customer))
    self.items = try items.map {
      OrderItem(productID: try productID($0.product), quantity: $0.quantity, unitPrice: Money(minorUnits: 4990))
    }
    total = try #require(OrderItem.total(of: self.items))
  }

  func created(version: Int64 = 1) -> Event {
    event(.orderCreated(OrderCreated(customerID: customerID, items: items, total: total)), version)
  }

  func confirmed(version: Int64 = 2) -> Event {
    event(.orderConfirmed(OrderConfirmed(customerID: customerID, items: items, total: total)), version)
  }

  func rejected(_ reason: String = "OUT_OF_STOCK", version: Int64 = 2) -> Event {
    event(
      .orderRejected(OrderRejected(customerID: customerID, items: items, total: total, reason: reason)), version)
  }

  func cancelled(_ reason: String = "changed my mind", version: Int64 = 2) -> Event {
    event(
      .orderCancelled(OrderCancelled(customerID: customerID, items: items, total: total, reason: reason)), version)
  }

  private func event(_ payload: EventPayload, _ version: Int64) -> Event {
    let now = Timestamp.now()
    return Event(
      envelope: EventEnvelope(
        eventID: .next(from: ids, at: now), orderID: orderID, orderVersion: version, timestamp: now),
      payload: payload)
  }
}

import EventSchema
import Foundation
import GRDB
import HTTPTypes
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

@testable import Orders

/// OrderService as it is wired, over SQLite in memory and a broker in memory. Nothing runs by itself: tests hand in
/// what the inventory answers.
struct OrdersFixture: Sendable {
  let broker: InMemoryBroker
  let database: SQLiteDatabase
  let waiters: OrderWaiters
  /// The relay, the consumer, and what they need; nothing runs them but a test.
  let services: [any Service]
  private let answers: InventoryAnswers
  private let server: Application<ServiceResponder>
  /// Nothing but the direct routes.
  private let directServer: Application<ServiceResponder>

  /// - Parameters:
  ///   - databasePath: two fixtures over one file are two instances of the service.
  ///   - broker: nil for one of its own.
  init(databasePath: String = ":memory:", broker: InMemoryBroker? = nil) throws {
    let identity = OrderApplication.identity
    let broker =
      broker ?? InMemoryBroker(topics: Dictionary(uniqueKeysWithValues: identity.topics.map { ($0, 2) }))
    self.broker = broker
    var configuration = ServiceConfiguration(identity: identity)
    configuration.databasePath = databasePath
    let application = try OrderApplication(
      configuration: configuration, broker: broker, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    database = application.database
    waiters = application.waiters
    services = application.services
    answers = application.answers
    server = ServiceHTTP.application(router: application.router, directRoutes: application.directRoutes)
    directServer = ServiceHTTP.application(router: ServiceHTTP.makeRouter(), directRoutes: application.directRoutes)
  }

  var store: OrderStore { answers.orders }

  func http<Result: Sendable>(_ body: @Sendable (OrdersClient) async throws -> Result) async throws -> Result {
    try await server.test(.router) { client in
      try await body(OrdersClient(client: client))
    }
  }

  /// The same over a connection, on which orders go the short way.
  func live<Result: Sendable>(_ body: @Sendable (OrdersClient) async throws -> Result) async throws -> Result {
    try await server.test(.live) { try await body(OrdersClient(client: $0)) }
  }

  /// The short way alone: whatever else would go to the router is not found.
  func directly<Result: Sendable>(_ body: @Sendable (OrdersClient) async throws -> Result) async throws -> Result {
    try await directServer.test(.live) { try await body(OrdersClient(client: $0)) }
  }

  /// The routes behind a socket.
  func listening<Result: Sendable>(_ body: @Sendable (ServiceClient) async throws -> Result) async throws -> Result {
    try await server.test(.live) { client in
      try await body(ServiceClient(base: "http://127.0.0.1:\(try #require(client.port))"))
    }
  }

  /// Places an order as a use case, without HTTP.
  func place(
    customer: String = "ada", items: [OrderItem]? = nil, at time: Timestamp = Timestamp.now()
  ) async throws -> Order {
    let placeOrder = PlaceOrder(database: database, orders: store, ids: UUIDv7Generator(), now: { time })
    let draft = try OrderDraft(
      customerID: try #require(CustomerID(customer)), items: try items ?? [item("keyboard", 2, 4990)])
    return try await placeOrder(draft)
  }

  func order(_ id: OrderID) async throws -> Order {
    try await GetOrder(database: database, orders: store)(id)
  }

  /// Hands an answer of the inventory to the door that the consumer worker hands it to.
  func deliver(_ payload: EventPayload, about orderID: OrderID) async throws {
    let now = Timestamp.now()
    let event = Event(
      envelope: EventEnvelope(
        eventID: EventID.next(from: UUIDv7Generator(), at: now), orderID: orderID, orderVersion: 1, timestamp: now),
      payload: payload)
    let delivery = Delivery(
      identity: EventIdentity(
        eventID: event.envelope.eventID.rawValue, eventType: event.type.rawValue, key: orderID.rawValue, version: nil),
      topicPartition: TopicPartition("inventory", 0), offset: 0, attempt: 1)
    try await database.write { [answers] transaction in try answers.handle(event, delivery, transaction) }
  }

  /// What the outbox has to tell, in the order of its publication.
  ///
  /// - Parameter order: nil for every order.
  func told(of order: OrderID? = nil) async throws -> [Event] {
    try await outboxEvents(of: database, order: order)
  }
}

func item(_ product: String, _ quantity: Int, _ minorUnits: Int64) throws -> OrderItem {
  OrderItem(
    productID: try #require(ProductID(product)), quantity: quantity, unitPrice: Money(minorUnits: minorUnits))
}

func reserved() throws -> EventPayload {
  .inventoryReserved(
    InventoryReserved(
      reservationID: try #require(ReservationID("reservation-1")),
      items: [ReservedItem(productID: try #require(ProductID("keyboard")), quantity: 2)]))
}

func rejected(_ reason: InventoryRejectionReason = .outOfStock) -> EventPayload {
  .inventoryRejected(InventoryRejected(reason: reason, shortages: []))
}

func released() throws -> EventPayload {
  .inventoryReleased(
    InventoryReleased(
      reservationID: try #require(ReservationID("reservation-1")),
      items: [ReservedItem(productID: try #require(ProductID("keyboard")), quantity: 2)], reason: "cancelled"))
}

/// Talks to the routes as a client does.
struct OrdersClient: Sendable {
  let client: any TestClientProtocol

  func get(_ path: String) async throws -> OrdersAnswer {
    try await send(.get, path, body: nil, contentType: nil)
  }

  func post(_ path: String, _ json: String? = nil, headers: HTTPFields = [:]) async throws -> OrdersAnswer {
    try await send(
      .post, path, body: json.map { Array($0.utf8) }, contentType: json == nil ? nil : "application/json",
      headers: headers)
  }

  /// Asks for an order under an idempotency key.
  func place(_ json: String, key: String) async throws -> OrdersAnswer {
    try await post("/orders", json, headers: [.idempotencyKey: key])
  }

  func send(
    _ method: HTTPRequest.Method, _ path: String, body: [UInt8]?, contentType: String?, headers: HTTPFields = [:]
  ) async throws -> OrdersAnswer {
    var headers = headers
    if let contentType { headers[.contentType] = contentType }
    let response = try await client.executeRequest(
      uri: path, method: method, headers: headers, body: body.map { ByteBuffer(bytes: $0) })
    return OrdersAnswer(
      status: response.status.code, headers: response.headers, body: Array(response.body.readableBytesView))
  }
}

struct OrdersAnswer: Sendable {
  let status: Int
  let headers: HTTPFields
  let body: [UInt8]

  var text: String { String(decoding: body, as: UTF8.self) }

  subscript(_ member: String) -> JSONValue? { (try? JSONValue(parsing: body))?.object?[member] }

  /// The pointers of a problem's field errors.
  var pointers: [String] { (self["errors"]?.array ?? []).compactMap { $0.object?["pointer"]?.string } }

  /// The ids of a list.
  var orderIDs: [String] { (self["orders"]?.array ?? []).compactMap { $0.object?["order_id"]?.string } }
}

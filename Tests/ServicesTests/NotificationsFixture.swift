import EventSchema
import Logging
import Messaging
import MessagingSQLite
import ServiceDefaults
import ServiceLifecycle
import Testing
import WireFormat

@testable import Notifications

/// NotificationService as it is wired, over SQLite in memory and a broker in memory. Nothing runs by itself: tests hand
/// in the orders' events.
struct NotificationsFixture: Sendable {
  let broker: InMemoryBroker
  let database: SQLiteDatabase
  let orderEvents: OrderEvents
  let http: RouteClient
  /// The service's own long-lived parts, for ``running(_:_:)``.
  let services: [any Service]

  init() throws {
    let identity = NotificationApplication.identity
    broker = InMemoryBroker(topics: Dictionary(uniqueKeysWithValues: identity.topics.map { ($0, 2) }))
    var configuration = ServiceConfiguration(identity: identity)
    configuration.databasePath = ":memory:"
    let application = try NotificationApplication(
      configuration: configuration, broker: broker, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    database = application.database
    orderEvents = application.orderEvents
    http = RouteClient(router: application.router)
    services = application.services
  }

  /// Hands the door what the consumer worker hands to it, in one transaction.
  func deliver(_ events: Event...) async throws {
    try await database.write { [orderEvents] transaction in
      for event in events { try orderEvents.handle(event, delivery(of: event), transaction) }
    }
  }

  /// `order_id kind` of every mail, newest first.
  func mails() async throws -> [String] {
    try await http.all("/emails", "emails", limit: 100).map {
      "\($0["order_id"]?.string ?? "") \($0["kind"]?.string ?? "")"
    }
  }
}

/// A mail as the store would give it.
func mail(
  _ kind: MailKind = .orderCreated, order: String = "order-1", customer: String = "ada", event: String = "event-1",
  items: [OrderItem]? = nil, reason: String? = nil
) throws -> Mail {
  let items =
    try items ?? [
      OrderItem(productID: try productID("keyboard"), quantity: 2, unitPrice: Money(minorUnits: 4990)),
      OrderItem(productID: try productID("mouse"), quantity: 10, unitPrice: Money(minorUnits: 1_000)),
    ]
  let time = try #require(Timestamp(rfc3339: "2026-11-22T20:21:07.123Z"))
  return Mail(
    id: MailID("01980000-0000-7000-8000-000000000001"), eventID: try #require(EventID(event)),
    orderID: try #require(OrderID(order)), customerID: try #require(CustomerID(customer)), kind: kind, items: items,
    total: try #require(OrderItem.total(of: items)), reason: reason, templateVersion: 1,
    delivery: .inMockMailbox(at: time), createdAt: time)
}

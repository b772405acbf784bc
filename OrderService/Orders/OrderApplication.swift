import EventSchema
import Hummingbird
import Logging
import Messaging
import MessagingSQLite
import ServiceDefaults
import ServiceLifecycle
import WireFormat

/// OrderService: takes orders over HTTP, tells of them on `orders`, and settles them by what it hears on `inventory`.
/// All its wiring is here.
public struct OrderApplication: ServiceApplication {
  public static let identity = ServiceIdentity(
    name: "order-service", displayName: "OrderService", defaultPort: 8081, consumes: [Topics.inventory],
    produces: [Topics.orders], worksWithoutBroker: true)

  public let router: ServiceRouter
  public let services: [any Service]

  let database: SQLiteDatabase
  let waiters: OrderWaiters
  let answers: InventoryAnswers

  public init(configuration: ServiceConfiguration, broker: any Broker, logger: Logger) throws {
    let now: @Sendable () -> Timestamp = { Timestamp.now() }
    let database = try configuration.openDatabase(migrations: OrderMigrations.all)
    let outbox = configuration.makeOutbox(in: database)
    let ids = UUIDv7Generator()
    let waiters = OrderWaiters()
    let orders = OrderStore(
      outbox: outbox, waiters: waiters, ids: ids, eventSource: Self.identity.eventSource)

    let answers = InventoryAnswers(
      confirmOrder: ConfirmOrder(orders: orders, now: now), rejectOrder: RejectOrder(orders: orders, now: now),
      orders: orders)
    let messaging = MessagingRuntime(
      configuration: configuration, database: database, outbox: outbox, broker: broker,
      handling: InventoryAnswers.handledTypes, handle: answers.handle, logger: logger)

    let getOrder = GetOrder(database: database, orders: orders)
    let routes = OrderRoutes(
      placeOrder: PlaceOrder(database: database, orders: orders, ids: ids, now: now),
      cancelOrder: CancelOrder(database: database, orders: orders, now: now),
      awaitSettledOrder: AwaitSettledOrder(getOrder: getOrder, waiters: waiters),
      listOrders: ListOrders(database: database, orders: orders),
      traceOrder: TraceOrder(
        database: database, orders: orders, consumerGroup: configuration.consumerGroup))
    let router = ServiceHTTP.makeRouter()
    routes.add(to: router)
    messaging.addOperations(to: router)

    self.router = router
    self.services = messaging.services
    self.database = database
    self.waiters = waiters
    self.answers = answers
  }
}

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
  public let directRoutes: [DirectRoute]
  public let services: [any Service]

  let database: SQLiteDatabase
  let messaging: MessagingRuntime
  let waiters: OrderWaiters
  let answers: InventoryAnswers
  let placeOrder: PlaceOrder
  let placeOrderOnce: PlaceOrderOnce
  let cancelOrder: CancelOrder

  public init(
    configuration: ServiceConfiguration, broker: any Broker, logger: Logger, clocks: Clocks, ids: UUIDv7Generator
  ) throws {
    self.init(
      configuration: configuration, database: try configuration.openDatabase(migrations: OrderMigrations.all),
      broker: broker, logger: logger, clocks: clocks, ids: ids)
  }

  /// The same over a store that is open already.
  ///
  /// - Parameter seed: where the jitter of the retries comes from; nil for a seed that nobody knows.
  init(
    configuration: ServiceConfiguration, database: SQLiteDatabase, broker: any Broker, logger: Logger, clocks: Clocks,
    ids: UUIDv7Generator, seed: UInt64? = nil
  ) {
    let now = clocks.wall
    let outbox = configuration.makeOutbox(in: database, clocks: clocks)
    let signals = InstanceSignals(beside: database, logger: logger)
    let waiters = OrderWaiters(signals: signals)
    let orders = OrderStore(
      outbox: outbox, waiters: waiters, ids: ids, eventSource: Self.identity.eventSource)

    let answers = InventoryAnswers(
      confirmOrder: ConfirmOrder(orders: orders, now: now), rejectOrder: RejectOrder(orders: orders, now: now),
      orders: orders)
    let messaging = MessagingRuntime(
      configuration: configuration, database: database, outbox: outbox, signals: signals, broker: broker,
      clocks: clocks, seed: seed, handling: InventoryAnswers.handledTypes, handle: answers.handle, logger: logger)

    let placeOrder = PlaceOrder(database: database, orders: orders, ids: ids, now: now)
    let cancelOrder = CancelOrder(database: database, orders: orders, now: now)
    let keys = IdempotencyKeyStore()
    let placeOrderOnce = PlaceOrderOnce(database: database, orders: orders, keys: keys, ids: ids, now: now)
    let getOrder = GetOrder(database: database, orders: orders)
    let routes = OrderRoutes(
      placeOrder: placeOrder, placeOrderOnce: placeOrderOnce, cancelOrder: cancelOrder,
      awaitSettledOrder: AwaitSettledOrder(getOrder: getOrder, waiters: waiters),
      listOrders: ListOrders(database: database, orders: orders),
      traceOrder: TraceOrder(
        database: database, orders: orders, consumerGroup: configuration.consumerGroup))
    let router = ServiceHTTP.makeRouter()
    routes.add(to: router)
    messaging.addOperations(to: router)

    self.router = router
    self.directRoutes = [routes.directPlacing]
    self.services =
      messaging.services + [IdempotencyKeyCleaner(database: database, keys: keys, now: now, logger: logger)]
    self.database = database
    self.messaging = messaging
    self.waiters = waiters
    self.answers = answers
    self.placeOrder = placeOrder
    self.placeOrderOnce = placeOrderOnce
    self.cancelOrder = cancelOrder
  }
}

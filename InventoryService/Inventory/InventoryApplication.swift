import EventSchema
import Hummingbird
import Logging
import Messaging
import MessagingSQLite
import ServiceDefaults
import ServiceLifecycle
import WireFormat

/// InventoryService: it keeps the stock, answers every order with a reservation or a refusal, and gives back what
/// cancelled orders had. All wiring is here.
public struct InventoryApplication: ServiceApplication {
  public static let identity = ServiceIdentity(
    name: "inventory-service", displayName: "InventoryService", defaultPort: 8082, consumes: [Topics.orders],
    produces: [Topics.inventory])

  public let router: ServiceRouter
  public let services: [any Service]

  let database: SQLiteDatabase
  let messaging: MessagingRuntime
  let orderEvents: OrderEvents
  let stockProduct: StockProduct
  let restockProduct: RestockProduct

  public init(
    configuration: ServiceConfiguration, broker: any Broker, logger: Logger, clocks: Clocks, ids: UUIDv7Generator
  ) throws {
    self.init(
      configuration: configuration, database: try configuration.openDatabase(migrations: InventoryMigrations.all),
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
    let products = ProductStore()
    let reservations = ReservationStore(
      outbox: outbox, ids: ids, eventSource: Self.identity.eventSource, signals: signals)

    let orderEvents = OrderEvents(
      reserveStock: ReserveStock(
        products: products, reservations: reservations, ids: ids, now: now),
      releaseStock: ReleaseStock(products: products, reservations: reservations, now: now))
    let messaging = MessagingRuntime(
      configuration: configuration, database: database, outbox: outbox, signals: signals, broker: broker,
      clocks: clocks, seed: seed, handling: OrderEvents.handledTypes, handle: orderEvents.handle, logger: logger)

    let stockProduct = StockProduct(database: database, products: products)
    let restockProduct = RestockProduct(database: database, products: products)
    let streams = EventStreams()
    outbox.onCommit { streams.wake() }
    signals.onNews { _ in streams.wake() }
    let router = ServiceHTTP.makeRouter()
    ProductRoutes(
      stockProduct: stockProduct, restockProduct: restockProduct,
      getProduct: GetProduct(database: database, products: products),
      listProducts: ListProducts(database: database, products: products)
    ).add(to: router)
    ReservationRoutes(
      getReservation: GetReservation(database: database, reservations: reservations),
      listReservations: ListReservations(database: database, reservations: reservations),
      followReservations: FollowReservations(database: database, reservations: reservations), streams: streams
    ).add(to: router)
    messaging.addOperations(to: router)

    self.router = router
    self.services = messaging.services
    self.database = database
    self.messaging = messaging
    self.orderEvents = orderEvents
    self.stockProduct = stockProduct
    self.restockProduct = restockProduct
  }
}

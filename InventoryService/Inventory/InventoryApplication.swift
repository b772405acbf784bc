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
  let orderEvents: OrderEvents

  public init(configuration: ServiceConfiguration, broker: any Broker, logger: Logger) throws {
    let now: @Sendable () -> Timestamp = { Timestamp.now() }
    let database = try configuration.openDatabase(migrations: InventoryMigrations.all)
    let outbox = configuration.makeOutbox(in: database)
    let ids = UUIDv7Generator()
    let products = ProductStore()
    let reservations = ReservationStore(
      outbox: outbox, ids: ids, eventSource: Self.identity.eventSource)

    let orderEvents = OrderEvents(
      reserveStock: ReserveStock(
        products: products, reservations: reservations, ids: ids, now: now),
      releaseStock: ReleaseStock(products: products, reservations: reservations, now: now))
    let messaging = MessagingRuntime(
      configuration: configuration, database: database, outbox: outbox, broker: broker,
      handling: OrderEvents.handledTypes, handle: orderEvents.handle, logger: logger)

    let router = ServiceHTTP.makeRouter()
    ProductRoutes(
      stockProduct: StockProduct(database: database, products: products),
      restockProduct: RestockProduct(database: database, products: products),
      getProduct: GetProduct(database: database, products: products),
      listProducts: ListProducts(database: database, products: products)
    ).add(to: router)
    ReservationRoutes(
      getReservation: GetReservation(database: database, reservations: reservations),
      listReservations: ListReservations(database: database, reservations: reservations)
    ).add(to: router)
    messaging.addOperations(to: router)

    self.router = router
    self.services = messaging.services
    self.database = database
    self.orderEvents = orderEvents
  }
}

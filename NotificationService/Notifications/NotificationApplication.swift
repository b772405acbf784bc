import EventSchema
import Hummingbird
import Logging
import Messaging
import MessagingSQLite
import ServiceDefaults
import ServiceLifecycle
import WireFormat

/// NotificationService: it tells customers what becomes of their orders, by mails in a mock mailbox. It publishes
/// nothing but the dead letters of its own group. All wiring is here.
public struct NotificationApplication: ServiceApplication {
  public static let identity = ServiceIdentity(
    name: "notification-service", displayName: "NotificationService", defaultPort: 8083, consumes: [Topics.orders],
    produces: [])

  public let router: ServiceRouter
  public let services: [any Service]

  public init(configuration: ServiceConfiguration, broker: any Broker, logger: Logger) throws {
    try self.init(configuration: configuration, broker: broker, logger: logger, now: Timestamp.now)
  }

  /// - Parameter now: the clock that stamps mails.
  init(
    configuration: ServiceConfiguration, broker: any Broker, logger: Logger, now: @escaping @Sendable () -> Timestamp
  ) throws {
    let database = try configuration.openDatabase(migrations: MailMigrations.all)
    let outbox = SQLiteOutbox(database: database)
    let mails = MailStore()

    let handler = OrderEventHandler(
      notifyCustomer: NotifyCustomer(mails: mails, identifiers: UUIDv7Generator(), now: now))
    let messaging = MessagingRuntime(
      configuration: configuration, database: database, outbox: outbox, broker: broker,
      handling: OrderEventHandler.handledTypes, handle: handler.callAsFunction, logger: logger)

    let router = ServiceHTTP.makeRouter()
    EmailRoutes(
      getMail: GetMail(database: database, mails: mails),
      listMails: ListMails(database: database, mails: mails)
    ).add(to: router)
    messaging.addOperations(to: router)

    self.router = router
    self.services = messaging.services
  }
}

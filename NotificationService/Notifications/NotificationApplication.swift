import EventSchema
import Hummingbird
import Logging
import Messaging
import MessagingSQLite
import ServiceDefaults
import ServiceLifecycle
import WireFormat

/// NotificationService: it tells customers what becomes of their orders, by mails in a mock mailbox or through a mail
/// server. It publishes nothing but the dead letters of its own group. All wiring is here.
public struct NotificationApplication: ServiceApplication {
  public static let identity = ServiceIdentity(
    name: "notification-service", displayName: "NotificationService", defaultPort: 8083, consumes: [Topics.orders],
    produces: [], sendsMails: true)

  public let router: ServiceRouter
  public let services: [any Service]

  let database: SQLiteDatabase
  let messaging: MessagingRuntime
  let orderEvents: OrderEvents

  public init(
    configuration: ServiceConfiguration, broker: any Broker, logger: Logger, clocks: Clocks, ids: UUIDv7Generator
  ) throws {
    self.init(
      configuration: configuration, database: try configuration.openDatabase(migrations: MailMigrations.all),
      broker: broker, logger: logger, clocks: clocks, ids: ids)
  }

  /// The same over a store that is open already.
  ///
  /// - Parameter seed: where the jitter of the retries comes from; nil for a seed that nobody knows.
  init(
    configuration: ServiceConfiguration, database: SQLiteDatabase, broker: any Broker, logger: Logger, clocks: Clocks,
    ids: UUIDv7Generator, seed: UInt64? = nil
  ) {
    let outbox = configuration.makeOutbox(in: database, clocks: clocks)
    let signals = InstanceSignals(beside: database, logger: logger)
    let mails = MailStore()
    let news = MailNews()
    let mailer = configuration.smtp.map { server in
      Mailer(
        database: database, server: server, sender: configuration.mailSender, clocks: clocks, seed: seed, logger: logger
      )
    }
    if let mailer { news.listen { mailer.wake() } }
    let streams = EventStreams()
    news.listen { streams.wake() }

    let orderEvents = OrderEvents(
      notifyCustomer: NotifyCustomer(
        mails: mails, way: mailer == nil ? .mockMailbox : .mailer, news: news, identifiers: ids, now: clocks.wall)
    )
    let messaging = MessagingRuntime(
      configuration: configuration, database: database, outbox: outbox, signals: signals, broker: broker,
      clocks: clocks, seed: seed, handling: OrderEvents.handledTypes, handle: orderEvents.handle, logger: logger)

    let router = ServiceHTTP.makeRouter()
    EmailRoutes(
      getMail: GetMail(database: database, mails: mails),
      listMails: ListMails(database: database, mails: mails),
      followMails: FollowMails(database: database, mails: mails), streams: streams,
      sender: configuration.mailSender
    ).add(to: router)
    messaging.addOperations(to: router)

    self.router = router
    // Told to stop before the consumer: what that one still writes is for the next mailer.
    self.services = messaging.services + (mailer.map { [$0] } ?? [])
    self.database = database
    self.messaging = messaging
    self.orderEvents = orderEvents
  }
}

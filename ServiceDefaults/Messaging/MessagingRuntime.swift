import EventSchema
import Hummingbird
import Logging
import Messaging
import MessagingSQLite
import ServiceLifecycle

/// Everything of a service that has to do with messages: makes its topics, publishes its outbox, handles what it
/// consumes, forgets what is older than its retention; and the routes that show it.
///
/// Effect and dedup row of an event are one transaction; so are a state change and its outbox row. Blocking calls run
/// on threads of their own.
public struct MessagingRuntime: Sendable {
  /// What this service's group has handled.
  public let inbox: SQLiteInbox
  public let relay: OutboxRelay<SQLiteOutbox>
  public let worker: ConsumerWorker<SQLiteInbox, Event>
  public let provisioner: TopicProvisioner
  private let configuration: ServiceConfiguration
  private let database: SQLiteDatabase
  package let outbox: SQLiteOutbox
  private let signals: InstanceSignals
  private let holder: LeaseHolder
  private let clocks: Clocks
  private let logger: Logger

  /// Builds the parts; nothing runs yet.
  ///
  /// - Parameters:
  ///   - outbox: the store's; its commits wake the relay from now on, wherever it is.
  ///   - signals: those to and from the other instances of this service.
  ///   - clocks: the time, for all parts.
  ///   - seed: where the jitter of the retries comes from; nil for a seed that nobody knows.
  ///   - types: the event types that `handle` is for. Others have no effect, but take their place among the versions.
  ///   - handle: called on the worker's thread inside the transaction that also marks the event handled. What it throws
  ///     undoes what it wrote, and is retried unless it is a `DeadLetterError`.
  public init(
    configuration: ServiceConfiguration, database: SQLiteDatabase, outbox: SQLiteOutbox, signals: InstanceSignals,
    broker: any Broker, clocks: Clocks = .system, seed: UInt64? = nil, handling types: Set<EventType>,
    handle: @escaping @Sendable (Event, Delivery, SQLiteTransaction) throws -> Void, logger: Logger
  ) {
    self.configuration = configuration
    self.database = database
    self.outbox = outbox
    self.signals = signals
    self.clocks = clocks
    self.logger = logger
    let holder = LeaseHolder.currentProcess(name: configuration.identity.name)
    self.holder = holder
    inbox = SQLiteInbox(database: database, group: configuration.consumerGroup, outbox: outbox, now: clocks.wall)
    var relaying = Self.relayConfiguration(configuration)
    var consuming = ConsumerWorkerConfiguration()
    (relaying.clocks, relaying.seed) = (clocks, seed)
    (consuming.clocks, consuming.seed) = (clocks, seed)
    relay = OutboxRelay(
      store: outbox, broker: broker, configuration: relaying, holder: holder, logger: logger)
    worker = ConsumerWorker(
      group: configuration.consumerGroup, topics: configuration.identity.consumes, broker: broker, store: inbox,
      retry: configuration.retry, configuration: consuming, logger: logger,
      interpret: EventInterpretation(handling: types).interpret,
      handle: handle)
    provisioner = TopicProvisioner(
      topics: TopicSpecification.all(for: configuration), demandsPartitions: configuration.demandsTopicPartitions,
      broker: broker, logger: logger)
    outbox.onCommit { [relay] in
      relay.wake()
      if !relay.status().holdsLease { signals.tellOutboxIsWaiting() }
    }
    signals.onNews { [relay] news in
      if news.isOutboxWaiting { relay.wake() }
    }
    outbox.onReplay { [relay] in relay.wakeForRescan() }
  }

  /// What runs, in the order of start; stopped the other way round: the consumer finishes its transaction and leaves its
  /// group, then the relay waits for what is in flight, then the other instances hear of it, then the store is closed.
  public var services: [any Service] {
    [
      DatabaseService(database: database, logger: logger),
      RetentionCleaner(
        outbox: outbox, inbox: inbox, inboxRetention: configuration.inboxRetention, logger: logger),
      signals, relay, provisioner, worker,
    ]
  }

  /// Adds `/health`, `/ready`, `/metrics`, `/consumers`, and what is under `/outbox`, `/dead-letters` and `/parked`.
  ///
  /// - Parameter checks: what `/ready` asks, beside the store and, where the service cannot work without it, the broker.
  public func addOperations(to router: ServiceRouter, checks: [ReadinessCheck] = []) {
    let (relay, worker, provisioner, holder) = (relay, worker, provisioner, holder)
    let topics = configuration.identity.consumes
    OperationsRoutes(
      identity: configuration.identity, checks: [.store(database)] + checks,
      outbox: OutboxRoutes(
        outbox: outbox, relay: { RelayReport(status: relay.status(), holder: holder) }, now: clocks.wall),
      deadLetters: DeadLetterRoutes(
        inbox: inbox, redrive: worker.redrive, discard: worker.discard, discardGap: worker.discardGap),
      kafka: {
        let (consumer, relay) = (worker.status(), relay.status())
        return KafkaState(
          topics: provisioner.state,
          // A relay that stands by has no business with the broker: then the consumer knows.
          isBrokerReachable: relay.holdsLease ? relay.isBrokerReachable : consumer.isInTouch,
          holdsLease: relay.holdsLease,
          assignedPartitions: consumer.consumer?.assignment?.count, trouble: consumer.trouble ?? relay.trouble)
      },
      consumer: { ConsumerReport(topics: topics, status: worker.status()) },
      metrics: .shared, gauges: BacklogGauges(inbox: inbox, outbox: outbox, metrics: .shared, now: clocks.wall)
    ).add(to: router)
  }

  private static func relayConfiguration(_ configuration: ServiceConfiguration) -> OutboxRelayConfiguration {
    var relay = OutboxRelayConfiguration()
    relay.maxUnconsumedBytesPerPartition = configuration.relayMaxUnconsumedBytes
    relay.consumerGroups = ConsumerGroups.readers
    relay.topics = configuration.identity.produces + configuration.identity.deadLetterTopics
    return relay
  }
}

extension ConsumerWorkerStatus {
  /// Its member belongs to the group, and has no trouble with the broker.
  fileprivate var isInTouch: Bool {
    guard let consumer else { return false }
    return consumer.assignment != nil && consumer.trouble == nil
  }
}

/// Who reads which topic, as `orderflow up` starts them: the contract's section 3.
enum ConsumerGroups {
  static let readers = [
    Topics.orders: ["inventory-service", "notification-service"],
    Topics.inventory: ["order-service"],
  ]
}

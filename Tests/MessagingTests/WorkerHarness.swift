import Foundation
import GRDB
import Logging
import Synchronization
import WireFormat

@testable import Messaging
@testable import MessagingSQLite

/// An event of the tests: its value is `id|version|what`, its key the record's; `what` may order a failure.
struct TestEvent: Sendable, Hashable {
  var id: String
  var key: String
  var version: Int64?
  var what: String

  init(_ id: String, key: String, version: Int64?, what: String = "") {
    self.id = id
    self.key = key
    self.version = version
    self.what = what
  }

  /// `a2` is version 2 of key `a`.
  static func next(_ key: String, _ version: Int64, what: String = "") -> TestEvent {
    TestEvent("\(key)\(version)", key: key, version: version, what: what)
  }

  func message(topic: String = WorkerWorld.topic) -> OutgoingMessage {
    let version = version.map(String.init) ?? ""
    return OutgoingMessage(topic: topic, key: Array(key.utf8), value: Array("\(id)|\(version)|\(what)".utf8))
  }

  static func interpret(_ record: ConsumedRecord) -> Interpretation<TestEvent> {
    let text = String(decoding: record.value ?? [], as: UTF8.self)
    let parts = text.split(separator: "|", omittingEmptySubsequences: false)
    guard parts.count == 3, let key = record.key else {
      return .unreadable(UnreadableRecord(reason: "not three parts"))
    }
    let event = TestEvent(
      String(parts[0]), key: String(decoding: key, as: UTF8.self), version: Int64(parts[1]), what: String(parts[2]))
    let identity = EventIdentity(eventID: event.id, eventType: "TEST", key: event.key, version: event.version)
    switch event.what {
    case "ignored": return .ignored(eventType: "OTHER")
    case "without effect": return .withoutEffect(identity)
    case "unreadable": return .unreadable(UnreadableRecord(reason: "said so", eventID: event.id, key: event.key))
    default: return .event(identity, event)
    }
  }
}

/// What a handler throws, and a store, to order.
struct Ordered: Error, Hashable {}

/// An inbox that fails when it is told to: before the commit, or with its outcome unknown to the caller.
final class FlakyInbox: InboxStore {
  typealias Transaction = SQLiteTransaction
  enum Fault: Sendable { case none, before, afterCommit }

  let inner: SQLiteInbox
  private let fault = Mutex<@Sendable () -> Fault>({ .none })
  private let failsToRead = Atomic(false)
  private let lastAtHand = Mutex<HandlingSubject?>(nil)
  private let deadly = Mutex<HandlingSubject?>(nil)
  private let deaths = Mutex<[HandlingDeath]>([])

  init(_ inner: SQLiteInbox) {
    self.inner = inner
  }

  func fails(_ fault: @escaping @Sendable () -> Fault) {
    self.fault.withLock { $0 = fault }
  }

  func failsToReadOffsets(_ value: Bool) {
    failsToRead.store(value, ordering: .sequentiallyConsistent)
  }

  func transact<Result: Sendable>(
    isRepeatable: Bool, _ body: @escaping @Sendable (SQLiteTransaction) throws -> Result, meanwhile: () -> Void
  ) throws -> Result {
    switch fault.withLock({ $0 })() {
    case .none: return try inner.transact(isRepeatable: isRepeatable, body, meanwhile: meanwhile)
    case .before: throw StoreUnavailable("ordered")
    case .afterCommit:
      _ = try inner.transact(isRepeatable: isRepeatable, body, meanwhile: meanwhile)
      throw StoreUnavailable("the answer was lost")
    }
  }

  func nextOffsets(cluster: String) throws -> [TopicPartition: Int64] {
    if failsToRead.load(ordering: .sequentiallyConsistent) { throw StoreUnavailable("ordered") }
    return try inner.nextOffsets(cluster: cluster)
  }

  func savepoint<Result>(in transaction: SQLiteTransaction, _ body: () throws -> Result) throws -> Result {
    try inner.savepoint(in: transaction, body)
  }

  func register(_ entry: InboxEntry, outcome: InboxOutcome, in transaction: SQLiteTransaction) throws -> Bool {
    try inner.register(entry, outcome: outcome, in: transaction)
  }

  func unregister(_ eventID: String, in transaction: SQLiteTransaction) throws {
    try inner.unregister(eventID, in: transaction)
  }

  func outcome(ofEvent eventID: String, in transaction: SQLiteTransaction) throws -> InboxOutcome? {
    try inner.outcome(ofEvent: eventID, in: transaction)
  }

  func settle(_ entry: InboxEntry, outcome: InboxOutcome, in transaction: SQLiteTransaction) throws {
    try inner.settle(entry, outcome: outcome, in: transaction)
  }

  func cursor(of key: String, in transaction: SQLiteTransaction) throws -> Int64 {
    try inner.cursor(of: key, in: transaction)
  }

  func moveCursor(of key: String, to version: Int64, in transaction: SQLiteTransaction) throws {
    try inner.moveCursor(of: key, to: version, in: transaction)
  }

  func advanceCursor(of key: String, to version: Int64, in transaction: SQLiteTransaction) throws -> Bool {
    try inner.advanceCursor(of: key, to: version, in: transaction)
  }

  func park(_ parked: ParkedRecord, in transaction: SQLiteTransaction) throws {
    try inner.park(parked, in: transaction)
  }

  func takeParked(key: String, version: Int64, in transaction: SQLiteTransaction) throws -> ParkedRecord? {
    try inner.takeParked(key: key, version: version, in: transaction)
  }

  func postpone(
    _ entry: InboxEntry, until moment: Timestamp, error: String, in transaction: SQLiteTransaction
  ) throws {
    try inner.postpone(entry, until: moment, error: error, in: transaction)
  }

  func readyParked(limit: Int) throws -> ReadyParked {
    try inner.readyParked(limit: limit)
  }

  func hasParked(in transaction: SQLiteTransaction) throws -> Bool {
    try inner.hasParked(in: transaction)
  }

  func firstParkedVersion(of key: String, in transaction: SQLiteTransaction) throws -> Int64? {
    try inner.firstParkedVersion(of: key, in: transaction)
  }

  func deadLetter(_ id: Int64, in transaction: SQLiteTransaction) throws -> KeptDeadLetter? {
    try inner.deadLetter(id, in: transaction)
  }

  func deadLetter(ofEvent eventID: String, in transaction: SQLiteTransaction) throws -> KeptDeadLetter? {
    try inner.deadLetter(ofEvent: eventID, in: transaction)
  }

  func openDeadLetter(
    ofKey key: String, versions: ClosedRange<Int64>, in transaction: SQLiteTransaction
  ) throws -> KeptDeadLetter? {
    try inner.openDeadLetter(ofKey: key, versions: versions, in: transaction)
  }

  func renew(_ id: Int64, as letter: DeadLetter, in transaction: SQLiteTransaction) throws {
    try inner.renew(id, as: letter, in: transaction)
  }

  func close(_ id: Int64, as status: DeadLetterStatus, reason: String?, in transaction: SQLiteTransaction) throws {
    try inner.close(id, as: status, reason: reason, in: transaction)
  }

  func record(_ audit: DeadLetterAudit, in transaction: SQLiteTransaction) throws {
    try inner.record(audit, in: transaction)
  }

  func keep(_ deadLetter: DeadLetter, in transaction: SQLiteTransaction) throws -> Bool {
    try inner.keep(deadLetter, in: transaction)
  }

  // MARK: Deaths. A store in memory has no processes that could leave marks: here they are ordered.

  func hasAtHand(_ subject: HandlingSubject?) {
    if let subject { lastAtHand.withLock { $0 = subject } }
  }

  /// What is at hand now would be the end of the process.
  func isDeadly() {
    let subject = lastAtHand.withLock { $0 }
    deadly.withLock { $0 = $0 ?? subject }
  }

  /// The member dies of what was deadly, else of what it had at hand last.
  func dies() {
    guard let subject = deadly.withLock({ $0.take() }) ?? lastAtHand.withLock({ $0 }) else { return }
    deaths.withLock { $0.append(HandlingDeath(subject: subject, process: UUID().uuidString)) }
  }

  func collectDeaths() throws -> [HandlingDeath] {
    let deaths = deaths.withLock { $0 }
    guard !deaths.isEmpty else { return [] }
    let counted = try transact { [inner] transaction in
      try deaths.filter { try inner.count($0, in: transaction) }
    }
    self.deaths.withLock { $0.removeAll { deaths.contains($0) } }
    return counted
  }

  func crashedAttempts(in transaction: SQLiteTransaction) throws -> CrashedAttempts {
    try inner.crashedAttempts(in: transaction)
  }

  func forgetDeaths(of subject: HandlingSubject, in transaction: SQLiteTransaction) throws {
    try inner.forgetDeaths(of: subject, in: transaction)
  }

  func backlog() throws -> InboxSummary {
    try inner.backlog()
  }

  func storeNextOffsets(
    _ offsets: [TopicPartition: Int64], cluster: String, in transaction: SQLiteTransaction
  ) throws {
    try inner.storeNextOffsets(offsets, cluster: cluster, in: transaction)
  }
}

/// A worker's world: a store with a table of effects, a broker, and a clock that stands still until it is moved.
final class WorkerWorld {
  static let topic = "orders"
  static let group = StoreUnderTest.group
  typealias Worker = ConsumerWorker<FlakyInbox, TestEvent>

  let store: StoreUnderTest
  let inbox: FlakyInbox
  let broker: InMemoryBroker
  var configuration = ConsumerWorkerConfiguration()
  var retry = RetryPolicy(maxAttempts: 3, initialBackoff: .milliseconds(100), maxBackoff: .seconds(1))
  /// Decides whether an attempt fails; asked before the effect is written.
  let failure = FailureSwitch()
  private let producer: any MessageProducer

  init(partitions: Int = 3) throws {
    let effects = SQLiteMigration(
      name: "effects",
      sql: """
        CREATE TABLE effects (id INTEGER PRIMARY KEY, event_id TEXT NOT NULL, event_key TEXT NOT NULL, version INTEGER)
        """)
    store = try StoreKind.memory.open(migrations: MessagingMigrations.all + [effects])
    inbox = FlakyInbox(store.inbox)
    broker = InMemoryBroker(topics: [Self.topic: partitions], clocks: store.clock.clocks)
    producer = try broker.makeProducer()
    configuration.clocks = store.clock.clocks
    configuration.seed = 1
  }

  func worker() -> Worker {
    ConsumerWorker(
      group: Self.group, topics: [Self.topic], broker: broker, store: inbox, retry: retry,
      configuration: configuration, logger: quietLogger, interpret: TestEvent.interpret
    ) { [failure, inbox] event, delivery, transaction in
      // The effect comes first: a failure has to undo it.
      try transaction.database.execute(
        sql: "INSERT INTO effects (event_id, event_key, version) VALUES (?, ?, ?)",
        arguments: [event.id, event.key, event.version])
      guard let error = failure.error(event, delivery) else { return }
      if error is StopConsuming { inbox.isDeadly() }
      throw error
    }
  }

  func publish(_ events: TestEvent...) throws { try publish(events) }

  func publish(_ events: [TestEvent]) throws {
    try publish(events.map { $0.message() })
  }

  func publish(_ messages: [OutgoingMessage]) throws {
    _ = try producer.enqueue(messages.enumerated().map { (UInt64($0.offset), $0.element) })
    _ = producer.deliveries(timeout: .zero)
  }

  func advance(_ duration: Duration) {
    store.clock.advance(by: duration)
  }

  /// The ids of the events that had their effect, in the order in which they had it.
  func effects(of key: String? = nil) throws -> [String] {
    try store.database.readBlocking { database in
      try String.fetchAll(
        database, sql: "SELECT event_id FROM effects WHERE ?1 IS NULL OR event_key = ?1 ORDER BY id", arguments: [key])
    }
  }

  func deadLetters() throws -> [String] {
    try store.database.readBlocking {
      try String.fetchAll($0, sql: "SELECT event_id FROM dead_letters ORDER BY id")
    }
  }

  func outcome(of id: String) throws -> String? {
    try store.database.readBlocking {
      try String.fetchOne($0, sql: "SELECT outcome FROM processed_events WHERE event_id = ?", arguments: [id])
    }
  }

  var committed: [TopicPartition: Int64] { broker.committed(group: Self.group) }
}

/// Which attempts fail, and how; may be changed from any thread.
final class FailureSwitch: Sendable {
  typealias Decision = @Sendable (TestEvent, Delivery) -> (any Error)?
  private let decision = Mutex<Decision>({ _, _ in nil })

  func set(_ decision: @escaping Decision) {
    self.decision.withLock { $0 = decision }
  }

  func error(_ event: TestEvent, _ delivery: Delivery) -> (any Error)? {
    decision.withLock { $0 }(event, delivery)
  }
}

extension ConsumerWorkerLoop {
  /// Rounds without waiting: enough for everything that can happen at this moment.
  func settle(_ rounds: Int = 10) throws {
    for _ in 0..<rounds { try turn(waitingAtMost: .zero) }
  }
}

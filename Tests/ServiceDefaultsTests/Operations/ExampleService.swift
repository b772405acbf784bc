import EventSchema
import Hummingbird
import HummingbirdTesting
import Messaging
import MessagingSQLite
import ServiceLifecycle
import Synchronization
import TestSupport
import WireFormat

@testable import ServiceDefaults

/// A service over stores in memory, wired as the services are.
struct ExampleService: Sendable {
  let database: SQLiteDatabase
  let outbox: SQLiteOutbox
  let messaging: MessagingRuntime
  let checks: [ReadinessCheck]
  let effects: Effects

  /// What its handler did; and events that it is told to fail at.
  final class Effects: Sendable {
    private let state = Mutex((handled: [String](), failing: Set<String>()))

    var handled: [String] { state.withLock { $0.handled } }

    func fail(at events: Set<String>) { state.withLock { $0.failing = events } }

    fileprivate func handle(_ event: Event) throws {
      let id = event.envelope.eventID.rawValue
      try state.withLock { state in
        if state.failing.contains(id) { throw DeadLetterError("told to fail at \(id)") }
        state.handled.append(id)
      }
    }
  }

  init(identity: ServiceIdentity = .example, broker: InMemoryBroker, checks: [ReadinessCheck] = []) throws {
    var configuration = ServiceConfiguration(identity: identity)
    configuration.databasePath = ":memory:"
    configuration.retry = RetryPolicy(maxAttempts: 2, initialBackoff: .zero, maxBackoff: .zero)
    database = try configuration.openDatabase(migrations: [])
    outbox = configuration.makeOutbox(in: database)
    let effects = Effects()
    messaging = MessagingRuntime(
      configuration: configuration, database: database, outbox: outbox,
      signals: InstanceSignals(beside: database, logger: .silent), broker: broker, handling: [.orderCreated],
      handle: { event, _, _ in try effects.handle(event) }, logger: .silent)
    self.checks = checks
    self.effects = effects
  }

  func append(_ event: Event) async throws {
    let outbox = outbox
    try await database.write { try outbox.append(OutboxMessage(event: event, source: "/example-service"), in: $0) }
  }

  /// Only the routes.
  func answer(
    access: AccessControl = .none, _ test: @escaping @Sendable (any TestClientProtocol) async throws -> Void
  ) async throws {
    let router = ServiceHTTP.makeRouter()
    messaging.addOperations(to: router, checks: checks)
    try await serving(router, .router, access: access, test)
  }

  /// Everything.
  func run(
    access: AccessControl = .none, _ test: @escaping @Sendable (any TestClientProtocol) async throws -> Void
  ) async throws {
    try await running(messaging.services) { try await answer(access: access, test) }
  }

  /// Everything; the topics are there, and the group is joined.
  func runOnceReady(
    access: AccessControl = .none, _ test: @escaping @Sendable (any TestClientProtocol) async throws -> Void
  ) async throws {
    try await run(access: access) { client in
      _ = try await eventually("readiness") { try await client.get("/ready").status == .ok ? true : nil }
      try await test(client)
    }
  }
}

extension InMemoryBroker {
  func write(_ value: String, key: String, to topic: String) throws {
    let producer = try makeProducer()
    _ = try producer.enqueue([
      (token: 1, message: OutgoingMessage(topic: topic, key: Array(key.utf8), value: Array(value.utf8)))
    ])
    _ = producer.deliveries(timeout: .seconds(1))
    producer.close(timeout: .seconds(1))
  }

  func write(_ event: Event, to topic: String) throws {
    try write(String(decoding: event.encoded(), as: UTF8.self), key: event.envelope.orderID.rawValue, to: topic)
  }
}

import Logging
import ServiceLifecycle
import Synchronization
import WireFormat

/// Publishes what a store's outbox holds: at least once, and the first copies of a key's messages in the order in which
/// they were appended.
///
/// A row is marked published only after the broker has acknowledged it. Of all relays of one store, in whatever process,
/// one at a time publishes; a relay that has lost its lease marks nothing any more. Failures are retried for ever, and
/// hold up their key and nobody else. A broker that has lost its data gets everything within retention again.
///
/// Threads: ``run()`` starts one thread that waits for the broker and for the store; every other member may be called
/// from anywhere and never blocks.
public final class OutboxRelay<Store: OutboxStore>: Service {
  let store: Store
  let broker: any Broker
  let configuration: OutboxRelayConfiguration
  let holder: LeaseHolder
  let logger: Logger
  let bell = RelayBell()
  let snapshot = Mutex(OutboxRelayStatus())

  public init(
    store: Store, broker: any Broker, configuration: OutboxRelayConfiguration = OutboxRelayConfiguration(),
    holder: LeaseHolder, logger: Logger
  ) {
    self.store = store
    self.broker = broker
    self.configuration = configuration
    self.holder = holder
    self.logger = logger
  }

  /// Rows have been appended and committed: they are read at once.
  public func wake() {
    bell.ring { $0.rowsAppended = true }
  }

  /// Rows that were published have become unpublished again: the whole outbox is looked through at once.
  public func wakeForRescan() {
    bell.ring { $0.rescan = true }
  }

  /// How it stood at the end of its last round.
  public func status() -> OutboxRelayStatus {
    snapshot.withLock { $0 }
  }

  /// Publishes until the service is shut down. Then nothing new is begun, what is in flight is waited for (bounded by
  /// `drainTimeout`) and marked, and the lease is given back. Cancellation skips the waiting.
  public func run() async throws {
    try await withTaskCancellationHandler {
      try await withGracefulShutdownHandler {
        try await DedicatedThread.run(named: "outbox-relay") { self.makeLoop(marks: .meanwhile).run() }
      } onGracefulShutdown: {
        self.bell.ring { $0.stop = true }
      }
    } onCancel: {
      self.bell.ring { $0.abort = true }
    }
  }

  /// The relay without its thread, to be driven step by step.
  package func makeLoop(marks: OutboxRelayLoop<Store>.Marks = .inOneTurn) -> OutboxRelayLoop<Store> {
    OutboxRelayLoop(relay: self, marks: marks)
  }
}

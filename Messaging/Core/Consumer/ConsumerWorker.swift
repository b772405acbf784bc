import Logging
import ServiceLifecycle
import Synchronization

/// Reads topics as a member of a group, and handles each event once in effect: its effect and the fact that it was
/// handled are one transaction of the store, and the group's offset moves only after that transaction is synced.
///
/// Events of a key are handled in the order of their versions, those of a partition in the order of their offsets. A
/// failure stops its partition until the event has been tried again, and nobody else; after the last attempt the event
/// is a dead letter. While the store does not answer everything waits, and nothing is given up. See the contract,
/// section 5.
///
/// Threads: ``run()`` starts one thread that polls, calls `handle` inside the store's transaction, and commits; every
/// other member may be called from anywhere.
public final class ConsumerWorker<Store: InboxStore, Event: Sendable>: Service {
  let topics: [String]
  let broker: any Broker
  let configuration: ConsumerWorkerConfiguration
  let retry: RetryPolicy
  let processor: RecordProcessor<Store, Event>
  let logger: Logger
  let machine: Mutex<WorkerMachine>
  let bell = WorkerBell()

  /// - Parameters:
  ///   - interpret: reads a record's bytes; never fails and has no effect. May be asked about the same record again.
  ///   - handle: the effect, written through the transaction it is given and nowhere else: a batch that cannot be
  ///     committed, or in which another event has failed, is handled again. What it throws is judged by
  ///     ``FailureClassification``.
  public init(
    group: String, topics: [String], broker: any Broker, store: Store, retry: RetryPolicy = RetryPolicy(),
    configuration: ConsumerWorkerConfiguration = ConsumerWorkerConfiguration(), logger: Logger,
    interpret: @escaping @Sendable (ConsumedRecord) -> Interpretation<Event>,
    handle: @escaping @Sendable (Event, Delivery, Store.Transaction) throws -> Void
  ) {
    self.topics = topics
    self.broker = broker
    self.configuration = configuration
    self.retry = retry
    processor = RecordProcessor(
      group: group, store: store, retry: retry, interpret: interpret, handle: handle,
      clocks: configuration.clocks)
    machine = Mutex(WorkerMachine(configuration: configuration, retry: retry))
    var logger = logger
    logger[metadataKey: "group"] = "\(group)"
    self.logger = logger
  }

  /// The consumer group.
  public var group: String { processor.group }

  /// How it stands now.
  public func status() -> ConsumerWorkerStatus {
    let consumer = bell.withConsumer { $0?.status() }
    return machine.withLock { machine in
      ConsumerWorkerStatus(
        group: group, consumer: consumer, counts: machine.counts, backoffs: machine.backoffs, queued: machine.queued,
        trouble: machine.storeTrouble ?? consumer?.trouble)
    }
  }

  /// Makes a poll that waits return: a clock was moved, a store is there again.
  public func wake() {
    bell.ring()
  }

  /// Consumes until the service is shut down. Then the transaction in hand is finished, the offsets are committed and
  /// the group is left.
  ///
  /// - Throws: ``StopConsuming`` where going on would do harm.
  public func run() async throws {
    try await withTaskCancellationHandler {
      try await withGracefulShutdownHandler {
        try await DedicatedThread.run(named: "consumer") { try self.makeLoop().run() }
      } onGracefulShutdown: {
        self.bell.stop()
      }
    } onCancel: {
      self.bell.stop()
    }
  }

  /// The worker without its thread, to be driven step by step.
  package func makeLoop() -> ConsumerWorkerLoop<Store, Event> {
    ConsumerWorkerLoop(worker: self)
  }
}

/// Wakes and stops a worker's thread, wherever it waits.
final class WorkerBell: Sendable {
  private struct State {
    var consumer: (any MessageConsumer)?
    var isStopped = false
    var failure: StopConsuming?
  }

  private let state = Mutex(State())
  private let signal = WakeSignal()

  var isStopped: Bool { state.withLock { $0.isStopped } }
  /// Why the service has to stop, found out by another thread than the worker's.
  var failure: StopConsuming? { state.withLock { $0.failure } }

  func withConsumer<Result>(_ body: ((any MessageConsumer)?) -> Result) -> Result {
    // Called with the lock held, so that a consumer is not closed while it is asked.
    state.withLock { body($0.consumer) }
  }

  func listens(to consumer: (any MessageConsumer)?) {
    state.withLock { state in
      state.consumer = consumer
      if state.isStopped { consumer?.wake() }
    }
  }

  func ring() {
    state.withLock { $0.consumer?.wake() }
    signal.wake()
  }

  func stop() {
    state.withLock { $0.isStopped = true }
    ring()
  }

  func fail(_ failure: StopConsuming) {
    state.withLock { $0.failure = failure }
    ring()
  }

  func wait(atMost timeout: Duration) {
    signal.wait(atMost: timeout)
  }
}

import FaultInjection

/// Carries out what a ``RelayMachine`` decides, on the thread that calls it.
package final class OutboxRelayLoop<Store: OutboxStore> {
  /// When the relay goes on after it has asked for marks.
  package enum Marks: Sendable {
    /// At once, while the store syncs them.
    case meanwhile
    /// When they are made, in the same turn: for tests that go step by step.
    case inOneTurn
    /// At once; they are made then, and the relay hears of it in the next turn: for simulations.
    case untilTheNextTurn
  }

  private let relay: OutboxRelay<Store>
  private let marks: Marks
  private var machine: RelayMachine
  private var producer: (any MessageProducer)?
  private var admin: (any BrokerAdmin)?
  private var metrics: RelayMetrics
  private var log: RelayLog
  private var published = 0
  private var unpublished: Int?
  private var nextCount: Duration = .zero
  /// Whether the relay has come to its end.
  package private(set) var isFinished = false

  private var now: Duration { relay.configuration.clocks.elapsed() }

  init(relay: OutboxRelay<Store>, marks: Marks) {
    self.relay = relay
    self.marks = marks
    machine = RelayMachine(configuration: relay.configuration)
    metrics = RelayMetrics(holder: relay.holder.name)
    log = RelayLog(logger: relay.logger, holder: relay.holder)
  }

  func run() {
    while !isFinished { turn(waitingAtMost: .seconds(60)) }
  }

  /// One round: waits for reports, a wake or the next deadline, at most for `limit`, and does everything that can be
  /// done then.
  package func turn(waitingAtMost limit: Duration) {
    if producer == nil, machine.producerTrouble == nil { carryOut(.producerReplaced(replaceProducer())) }
    let now = now
    let timeout = min(limit, max(.zero, machine.deadline(at: now) - now))
    let reports = producer.map { $0.deliveries(timeout: timeout) } ?? waitForBell(timeout)
    let wake = relay.bell.answer()
    if !wake.marked.isEmpty { Failpoint.relayAfterMark.pass() }
    if !isFinished { carryOut(.turn(wake, reports)) }
    publishStatus()
    if isFinished { close() }
  }

  private func waitForBell(_ timeout: Duration) -> [DeliveryReport] {
    relay.bell.wait(atMost: timeout)
    return []
  }

  private func carryOut(_ first: RelayInput) {
    var input: RelayInput? = first
    while let next = input {
      input = nil
      for action in machine.handle(next, at: now) {
        guard goesOn(to: action) else { return }
        input = perform(action) ?? input
      }
    }
  }

  /// Whether the relay gets as far as this; where a simulation lets it die before, it does nothing more.
  private func goesOn(to action: RelayAction) -> Bool {
    do {
      try Failpoint.relayStep.hit(action.name)
    } catch {
      isFinished = true
    }
    return !isFinished
  }

  /// Does one thing, and returns what came of it.
  private func perform(_ action: RelayAction) -> RelayInput? {
    let store = relay.store
    switch action {
    case .acquireLease(let duration):
      return .leaseAnswer(ask { try store.acquireLease(for: relay.holder, duration: duration) })
    case .renewLease(let lease, let duration):
      return .renewed(ask { try store.renewLease(lease, duration: duration) })
    case .releaseLease(let lease):
      Failpoint.relayLeaving.pass()
      try? store.releaseLease(lease)
      return .released
    case .readPublicationState: return .publicationState(ask { try store.publicationState() })
    case .bind(let cluster, let lease): return .bound(ask { try store.bind(toCluster: cluster, lease: lease) })
    case .beginEpoch(let cluster, let lease):
      return .epochBegun(ask { try store.beginEpoch(clusterID: cluster, lease: lease) })
    case .continueEpoch(let lease, let limit):
      return .epochContinued(ask { try store.continueEpoch(lease: lease, limit: limit) })
    case .read(let after, let limit, let read):
      let rows = ask { try store.unpublished(after: after, limit: limit) }
      Failpoint.relayAfterRead.pass()
      return .rows(rows, limit: limit, read)
    case .mark(let receipts, let lease): return mark(receipts, lease)
    case .askClusterID, .askTopics, .askWatermarks, .askCommitted: return askBroker(action)
    case .send(let messages):
      let answer = send(messages)
      Failpoint.relayAfterProduce.pass()
      return .sent(answer, tokens: messages.map(\.token))
    case .replaceProducer: return .producerReplaced(replaceProducer())
    case .prepareProducer(let topics):
      producer?.prepare(for: topics)
      return .producerPrepared
    case .notify(let notice): log.write(notice)
    case .finish: isFinished = true
    }
    return nil
  }

  private func mark(_ receipts: [PublicationReceipt], _ lease: RelayLease) -> RelayInput {
    Failpoint.relayBeforeMark.pass()
    let told: @Sendable (Result<Void, any Error>) -> Void = { [bell = relay.bell] result in
      let answer = MarkAnswer(result: result.mapError { StoreFailure($0) }, receipts: receipts, lease: lease)
      bell.ring { $0.marked.append(answer) }
    }
    switch marks {
    case .meanwhile:
      relay.store.markPublished(receipts, lease: lease, answer: told)
    case .inOneTurn:
      let result = ask { try relay.store.markPublished(receipts, lease: lease) }
      Failpoint.relayAfterMark.pass()
      return .marked(MarkAnswer(result: result, receipts: receipts, lease: lease))
    case .untilTheNextTurn:
      told(Result { try relay.store.markPublished(receipts, lease: lease) })
    }
    return .marking
  }

  private func askBroker(_ action: RelayAction) -> RelayInput? {
    let timeout = relay.configuration.brokerTimeout
    switch action {
    case .askClusterID: return .clusterID(reach { try $0.clusterID(timeout: timeout) })
    case .askTopics: return .topics(reach { try $0.topics(timeout: timeout) })
    case .askWatermarks(let partition):
      return .watermarks(partition, reach { try $0.watermarks(of: partition, timeout: timeout) })
    case .askCommitted(let group, let partitions):
      return .committed(
        group: group, reach { try $0.committed(group: group, partitions: partitions, timeout: timeout) })
    default: return nil
    }
  }

  private func ask<Value>(_ body: () throws -> Value) -> Result<Value, StoreFailure> {
    do { return .success(try body()) } catch { return .failure(StoreFailure(error)) }
  }

  private func reach<Value>(_ body: (any BrokerAdmin) throws -> Value) -> Result<Value, BrokerError> {
    do {
      let admin = try self.admin ?? relay.broker.makeAdmin()
      self.admin = admin
      return .success(try body(admin))
    } catch {
      let failure = BrokerError(wrapping: error)
      if failure.isFatal {
        admin?.close()
        admin = nil
      }
      return .failure(failure)
    }
  }

  private func send(_ messages: [(token: UInt64, message: OutgoingMessage)]) -> Result<Int, BrokerError> {
    guard let producer else { return .failure(.clientClosed) }
    do { return .success(try producer.enqueue(messages)) } catch { return .failure(BrokerError(wrapping: error)) }
  }

  private func replaceProducer() -> Result<Void, BrokerError> {
    relay.bell.listens(to: nil)
    producer?.close(timeout: .zero)
    producer = nil
    do {
      producer = try relay.broker.makeProducer()
      relay.bell.listens(to: producer)
      return .success(())
    } catch {
      return .failure(BrokerError(wrapping: error))
    }
  }

  private func publishStatus() {
    if machine.lease != nil, now >= nextCount {
      nextCount = now + .seconds(5)
      unpublished = (try? relay.store.unpublishedCount()) ?? nil
    }
    let observed = machine.observed
    machine.observed = RelayObservations()
    published += observed.published
    var status = machine.status
    status.published = published
    status.unpublished = unpublished
    relay.snapshot.withLock { $0 = status }
    metrics.record(observed, status)
  }

  private func close() {
    relay.bell.listens(to: nil)
    producer?.close(timeout: .zero)
    producer = nil
    admin?.close()
    admin = nil
  }
}

extension BrokerError {
  /// Any error of a broker's client; one that is none of Kafka's counts as passing.
  init(wrapping error: any Error) {
    self =
      error as? BrokerError
      ?? BrokerError(kind: .retriable, name: "_FAIL", detail: String(describing: error))
  }
}

extension RelayMachine {
  var status: OutboxRelayStatus {
    var status = OutboxRelayStatus()
    status.lease = lease
    status.isBrokerReachable = notices.isBrokerReachable
    status.inFlight = window.inFlightCount
    status.inMemory = window.count + unmarked.count
    status.refusedKeys = skipped.refusedCount
    status.trouble = producerTrouble?.description ?? notices.trouble
    return status
  }
}

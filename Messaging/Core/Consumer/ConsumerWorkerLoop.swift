import FaultInjection

/// Carries out what a ``WorkerMachine`` decides, on the thread that calls it.
package final class ConsumerWorkerLoop<Store: InboxStore, Event: Sendable> {
  private let worker: ConsumerWorker<Store, Event>
  private var consumer: (any MessageConsumer)?
  private var consumerFailures = 0
  private var nextConsumer: Duration = .zero
  private var metrics: WorkerMetrics
  private var nextLag: Duration = .zero
  private var random: SeededRandom

  private var now: Duration { worker.configuration.clocks.elapsed() }

  init(worker: ConsumerWorker<Store, Event>) {
    self.worker = worker
    metrics = WorkerMetrics(group: worker.group)
    random = worker.configuration.seed.map(SeededRandom.init(seed:)) ?? SeededRandom()
  }

  func run() throws {
    defer { close() }
    while !worker.bell.isStopped { try turn(waitingAtMost: .seconds(60)) }
    Failpoint.workerLeaving.pass()
  }

  /// One round: polls, at most for `limit`, and deals with what is ready in one transaction.
  package func turn(waitingAtMost limit: Duration) throws {
    if let failure = worker.bell.failure { throw failure }
    guard let consumer = consumer ?? makeConsumer() else {
      worker.bell.wait(atMost: min(limit, max(.zero, nextConsumer - now)))
      return
    }
    if Mutation.sleepBetweenAttempts.isOn, worker.machine.withLock({ $0.isBackingOff(at: now) }) { return }
    let (pollTimeout, lack) = worker.machine.withLock { ($0.pollTimeout(at: now), $0.lack(at: now)) }
    let timeout = min(limit, pollTimeout)
    let records: [ConsumedRecord]
    try Failpoint.workerStep.hit("poll")
    do {
      // One at least: it is polling that keeps the member in its group.
      records = try consumer.poll(maximum: max(1, lack), timeout: timeout)
      consumerFailures = 0
    } catch {
      return failed(BrokerError(wrapping: error))
    }
    try collectDeaths()
    try carryOut(.polled(records), consumer)
    try sweep()
    report()
  }

  /// Ends the member as its process's death would: without committing or leaving. Its group has to notice.
  package func abandon() {
    worker.bell.listens(to: nil)
    consumer = nil
  }

  /// Leaves the group, and commits what is dealt with.
  package func close() {
    worker.bell.listens(to: nil)
    consumer?.close()
    consumer = nil
    worker.machine.withLock { $0.revokedEverything() }
  }

  private func makeConsumer() -> (any MessageConsumer)? {
    guard now >= nextConsumer else { return nil }
    do {
      let consumer = try worker.broker.makeConsumer(
        group: worker.group, topics: worker.topics, listener: WorkerPartitions(worker: worker))
      self.consumer = consumer
      worker.bell.listens(to: consumer)
      return consumer
    } catch {
      failed(BrokerError(wrapping: error))
      return nil
    }
  }

  /// What was polled and not dealt with is read again by the next consumer.
  private func failed(_ error: BrokerError) {
    WorkerNotice.consumerFailed(error.description).write(to: worker.logger)
    close()
    consumerFailures += 1
    nextConsumer = now + worker.retry.backoff(afterAttempt: consumerFailures, using: &random)
  }

  private func carryOut(_ first: WorkerMachine.Input, _ consumer: any MessageConsumer) throws {
    var input: WorkerMachine.Input? = first
    while let next = input {
      input = nil
      for action in worker.machine.withLock({ $0.handle(next, at: now) }) {
        try Failpoint.workerStep.hit(action.name)
        switch action {
        case .transact(let batch):
          if Mutation.offsetBeforeCommit.isOn { consumer.store(next: batch.next) }
          input = try transact(batch, consumer)
        case .store(let next):
          consumer.store(next: next)
          Failpoint.workerAfterStore.pass()
        case .pause(let partitions): consumer.pause(partitions)
        case .resume(let partitions): consumer.resume(partitions)
        case .notify(let notice): notice.write(to: worker.logger)
        }
      }
    }
  }

  /// Has a batch dealt with, and takes the records of the next one while the store writes.
  private func transact(_ batch: WorkerBatch, _ consumer: any MessageConsumer) throws -> WorkerMachine.Input {
    let processor = worker.processor
    let (start, failures) = (now, KnownFailures())
    Failpoint.workerAfterPoll.pass()
    do {
      let outcome = try processor.store.transact(isRepeatable: true) {
        try processor.process(batch, knowing: failures, in: $0)
      } meanwhile: {
        takeAhead(of: batch, from: consumer)
      }
      Failpoint.workerAfterCommit.pass()
      metrics.recordBatch(batch.count, now - start)
      return .committed(outcome)
    } catch {
      switch FailureClassification(error) {
      case .stop(let reason):
        worker.logger.critical("The service stops: going on would do harm", metadata: ["error": "\(reason)"])
        throw StopConsuming(reason)
      case .waitForStore(let reason): return .notCommitted(reason: reason)
      // No event's own failure gets here: each has its savepoint. So it is the store's, and waited for.
      case .retry, .deadLetter: return .notCommitted(reason: String(describing: error))
      }
    }
  }

  private func takeAhead(of batch: WorkerBatch, from consumer: any MessageConsumer) {
    let records = consumer.takeFetched(maximum: worker.machine.withLock { $0.lack(at: now, after: batch) })
    worker.machine.withLock { $0.fetched(records) }
  }

  /// Counts what others had at hand when they died, before it is handled here.
  private func collectDeaths() throws {
    guard worker.machine.withLock({ $0.takesCollection(at: now) }) else { return }
    do {
      let deaths = try worker.processor.store.collectDeaths()
      for death in deaths { WorkerNotice.processDied(death).write(to: worker.logger) }
      write(worker.machine.withLock { $0.collected() })
    } catch {
      if case .stop(let reason) = FailureClassification(error) { throw StopConsuming(reason) }
      write(worker.machine.withLock { $0.collectionFailed(String(describing: error), at: now) })
    }
  }

  /// Handles parked records that have become next, whoever made them so.
  private func sweep() throws {
    guard worker.machine.withLock({ $0.isSweepDue(at: now) }) else { return }
    let processor = worker.processor
    let (limit, failures) = (worker.configuration.maximumSweep, KnownFailures())
    do {
      let ready = try processor.store.readyParked(limit: limit)
      let outcome =
        ready.keys.isEmpty || Mutation.successorsForgotten.isOn
        ? WorkerOutcome()
        : try processor.store.transact(isRepeatable: true) {
          try processor.sweep(ready.keys, knowing: failures, in: $0)
        }
      write(
        worker.machine.withLock {
          $0.swept(outcome, nextIn: ready.keys.count == limit ? .zero : ready.nextIn, at: now)
        })
    } catch {
      if case .stop(let reason) = FailureClassification(error) { throw StopConsuming(reason) }
      // The store's trouble is told of by the next batch, which waits for it.
      write(worker.machine.withLock { $0.swept(WorkerOutcome(), nextIn: nil, at: now) })
    }
  }

  private func write(_ actions: [WorkerMachine.Action]) {
    for case .notify(let notice) in actions { notice.write(to: worker.logger) }
  }

  private func report() {
    let (counts, queued, waiting) = worker.machine.withLock { ($0.counts, $0.queued, $0.backoffs.count) }
    metrics.record(counts, queued: queued, waiting: waiting)
    guard now >= nextLag, let consumer else { return }
    nextLag = now + worker.configuration.lagInterval
    metrics.record(consumer.status())
    if let backlog = try? worker.processor.store.backlog() {
      metrics.record(backlog, at: worker.configuration.clocks.wall())
    }
  }
}

/// Tells the worker of partitions that come and go, inside its poll.
private struct WorkerPartitions<Store: InboxStore, Event: Sendable>: PartitionListener {
  let worker: ConsumerWorker<Store, Event>

  func assigned(_ partitions: [TopicPartition: CommittedState]) -> [TopicPartition: StartOffset] {
    var stored: [String: [TopicPartition: Int64]?] = [:]
    for cluster in Set(partitions.values.map(\.clusterID)) {
      stored[cluster] = .some(try? worker.processor.store.nextOffsets(cluster: cluster))
    }
    let decisions = worker.machine.withLock { $0.assigned(partitions, stored: stored) }
    // An empty log has no beginning worth a word.
    let worthAWord = decisions.filter { partition, decision in
      decision.reason != .resumed && partitions[partition].map { $0.logEnd > $0.logStart } ?? false
    }
    for (reason, entries) in Dictionary(grouping: worthAWord, by: \.value.reason) {
      WorkerNotice.startsAtEarliest(entries.map(\.key).sorted(), reason).write(to: worker.logger)
    }
    Failpoint.workerAssigned.pass()
    return decisions.mapValues(\.start)
  }

  func revoked(_ partitions: Set<TopicPartition>, lost: Bool) {
    worker.machine.withLock { $0.revoked(partitions) }
    Failpoint.workerRevoked.pass()
  }
}

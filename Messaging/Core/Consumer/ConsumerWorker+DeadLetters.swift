import Logging

/// What people do about this group's dead letters and gaps. Every call is carried out by whichever instance was asked,
/// beside what its worker does, and leaves an audit row.
extension ConsumerWorker {
  /// Handles a dead letter's event again, as if its record came now: in up to `maxAttempts` attempts with the retry
  /// policy's pauses, each of them one transaction. What is parked behind it follows.
  ///
  /// Once in effect, whoever else asks for the same. Cancelling the task between two attempts ends the redrive without a
  /// trace.
  ///
  /// - Returns: nil where this group has no such dead letter.
  /// - Throws: `StoreUnavailable` where the store cannot do it now. Nothing is done or counted then.
  public func redrive(_ id: Int64, by requester: Requester) async throws -> RedriveOutcome? {
    var attempt = 1
    var redrives: Int?
    var random = SeededRandom()
    while true {
      let step = try await carryOut { [attempt, redrives] in
        try $0.redrive(id, attempt: attempt, begunAt: redrives, by: requester)
      }
      switch step {
      case .finished(let outcome): return outcome
      case .again(let begunAt, _): redrives = begunAt
      }
      try await Task.sleep(for: retry.backoff(afterAttempt: attempt, using: &random))
      attempt += 1
    }
  }

  /// Gives a dead letter's event up for the requester's reason: it will never be handled by this group, and its key goes
  /// on after it.
  ///
  /// - Returns: nil where this group has no such dead letter.
  /// - Throws: `StoreUnavailable` where the store cannot do it now.
  public func discard(_ id: Int64, by requester: Requester) async throws -> DiscardOutcome? {
    try await carryOut { try $0.discard(id, by: requester) }
  }

  /// Gives up the versions of `key` that have never come, up to the first one that is parked: it and what follows it
  /// without another gap is handled. A version that comes after all is dropped.
  ///
  /// - Returns: nil where nothing is parked under that key.
  /// - Throws: `StoreUnavailable` where the store cannot do it now.
  public func discardGap(ofKey key: String, by requester: Requester) async throws -> GapDiscardOutcome? {
    try await carryOut { try $0.discardGap(ofKey: key, by: requester) }
  }

  /// What the calls above are made of, for who drives the worker step by step.
  package func redriveStep(
    _ id: Int64, attempt: Int = 1, begunAt redrives: Int? = nil, by requester: Requester
  ) throws -> DeadLetterStep {
    switch try carryOutBlocking({ try $0.redrive(id, attempt: attempt, begunAt: redrives, by: requester) }) {
    case .finished(let outcome): .finished(outcome)
    case .again(let redrives, _): .again(redrives: redrives)
    }
  }

  package func discardStep(_ id: Int64, by requester: Requester) throws -> DiscardOutcome? {
    try carryOutBlocking { try $0.discard(id, by: requester) }
  }

  package func discardGapStep(ofKey key: String, by requester: Requester) throws -> GapDiscardOutcome? {
    try carryOutBlocking { try $0.discardGap(ofKey: key, by: requester) }
  }

  private func carryOut<Result: Sendable>(
    _ body: @escaping @Sendable (DeadLetterQueue<Store, Event>) throws -> (Result, WorkerOutcome)
  ) async throws -> Result {
    try await DedicatedThread.run(named: "dead-letters") { try self.carryOutBlocking(body) }
  }

  private func carryOutBlocking<Result>(
    _ body: (DeadLetterQueue<Store, Event>) throws -> (Result, WorkerOutcome)
  ) throws -> Result {
    do {
      let (result, outcome) = try body(DeadLetterQueue(processor: processor))
      let actions = machine.withLock { $0.handledBeside(outcome, at: configuration.clocks.elapsed()) }
      for case .notify(let notice) in actions { notice.write(to: logger) }
      if !outcome.postponed.isEmpty { wake() }
      return result
    } catch {
      guard case .stop(let reason) = FailureClassification(error) else { throw error }
      bell.fail(StopConsuming(reason))
      throw error
    }
  }
}

/// What came of one attempt of a redrive.
package enum DeadLetterStep: Sendable, Hashable {
  case finished(RedriveOutcome?)
  /// Ask again after a pause, with this number.
  case again(redrives: Int)
}

import FaultInjection

/// Records that share a savepoint.
///
/// Under a savepoint SQLite keeps a copy of every page before it changes it: one savepoint for each record costs a third
/// of what the record's own rows cost (docs/performance.md). So the next records of a partition share one as long as all
/// goes well. When one of them fails, all are undone; those before it are handled again, each in a savepoint of its own,
/// as those of a batch that could not be committed are. The one that failed is not: its failure is known, and was one
/// attempt.
extension RecordProcessor {
  /// What is done twice at most when a record fails.
  private static var longestStretch: Int { 64 }

  /// Deals with the records of a partition, up to the first that has to be tried again.
  func process(_ part: WorkerBatch.Part, _ round: Round) throws -> WorkerOutcome.Part {
    var result = WorkerOutcome.Part(partition: part.partition, done: 0, failure: nil)
    while result.done < part.records.count {
      let earlier = result.done == 0 ? part.failure : nil
      let step: (done: Int, failure: EventFailure?)
      if earlier == nil, round.isCalm {
        step = try stretch(part.records[result.done...].prefix(Self.longestStretch), of: part.cluster, round)
      } else {
        let record = part.records[result.done]
        let failure = try process(record, of: part.cluster, earlier: earlier, alone: true, round)
        step = (failure == nil ? 1 : 0, failure)
      }
      result.done += step.done
      guard let failure = step.failure else { continue }
      result.failure = failure
      guard Mutation.offsetBeyondFailure.isOn else { break }
      result.done += 1
    }
    return result
  }

  /// - Returns: how many are dealt with, and the failure of the one behind those.
  private func stretch(
    _ records: ArraySlice<ConsumedRecord>, of cluster: String, _ round: Round
  ) throws -> (done: Int, failure: EventFailure?) {
    let before = round.outcome
    var done = 0
    do {
      try store.savepoint(in: round.transaction) {
        for record in records where round.isCalm {
          _ = try process(record, of: cluster, earlier: nil, alone: false, round)
          done += 1
        }
      }
      return (done, nil)
    } catch {
      guard let entry = round.atHand else { throw error }
      // What concerns the whole transaction ends it here.
      _ = try decision(about: error)
      round.atHand = nil
      round.outcome = before
      for (index, record) in records.prefix(done).enumerated() {
        let failure = try process(record, of: cluster, earlier: nil, alone: true, round)
        if let failure { return (index, failure) }
      }
      let failure = try settleFailure(of: entry, records[records.startIndex + done], error, round)
      return (failure == nil ? done + 1 : done, failure)
    }
  }
}

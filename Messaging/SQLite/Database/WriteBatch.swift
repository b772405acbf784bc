import FaultInjection
import GRDB
import Messaging

/// Writes that share one transaction.
///
/// One that throws is undone alone, by a savepoint (the only one of a batch needs none). Under a savepoint SQLite keeps a
/// copy of every page before it changes it, so repeatable writes share one as long as all goes well; when one of them
/// throws, all are undone and run again, each under its own. When SQLite ends the whole transaction, or cannot commit it,
/// nothing of the batch is written and every write of it fails with `StoreUnavailable`. No committed write was carried
/// out twice.
struct WriteBatch {
  /// How many repeatable writes share a savepoint at most: that many run again when one throws.
  private static let longestStretch = 64

  /// What became of a batch.
  struct Outcome {
    /// Per job, in order; nil for what is committed.
    var errors: [(any Error)?]
    /// Why the transaction as a whole failed, nil when it was committed.
    var failure: StoreUnavailable?
    /// To be carried out now; empty when nothing was committed.
    var scope: CommitScope
  }

  let jobs: [any WriteJob]

  /// Returns after the commit is synced.
  func commit(on connection: any DatabaseWriter, with statements: PreparedStatements) -> Outcome {
    var outcome = Outcome(errors: Array(repeating: nil, count: jobs.count), failure: nil, scope: CommitScope())
    do {
      try connection.writeWithoutTransaction { database in
        try database.inTransaction(Mutation.deferredTransaction.isOn ? .deferred : .immediate) {
          let transaction = SQLiteTransaction(
            database: database, scope: outcome.scope, statements: statements)
          let completion = try run(in: transaction, errors: &outcome.errors)
          if let spoiled = outcome.scope.spoiled { throw spoiled }
          try Failpoint.storeBeforeCommit.hit()
          return completion
        }
      }
    } catch {
      let failure = StoreUnavailable(rolledBackBy: error)
      outcome.failure = failure
      outcome.scope = CommitScope()
      for index in jobs.indices where outcome.errors[index] == nil { outcome.errors[index] = failure }
    }
    return outcome
  }

  private func run(
    in transaction: SQLiteTransaction, errors: inout [(any Error)?]
  ) throws -> Database.TransactionCompletion {
    guard jobs.count > 1 else {
      do {
        try jobs[0].run(in: transaction)
        return .commit
      } catch {
        errors[0] = StoreUnavailable.translating(error)
        transaction.scope.rewind(to: 0)
        guard transaction.database.isInsideTransaction else { throw error }
        return .rollback
      }
    }
    var next = 0
    while next < jobs.count {
      let stretch = next..<endOfStretch(from: next)
      if try stretch.count == 1 || run(stretch, in: transaction) != nil {
        for index in stretch { errors[index] = try run(index..<(index + 1), in: transaction) }
      }
      next = stretch.upperBound
    }
    return errors.contains { $0 == nil } ? .commit : .rollback
  }

  private func endOfStretch(from start: Int) -> Int {
    let limit = min(start + Self.longestStretch, jobs.count)
    guard jobs[start].isRepeatable else { return start + 1 }
    return jobs[start..<limit].firstIndex { !$0.isRepeatable } ?? limit
  }

  /// Runs `stretch` under one savepoint.
  ///
  /// - Returns: what one of them threw; then all are undone.
  /// - Throws: where the whole transaction has to go.
  private func run(_ stretch: Range<Int>, in transaction: SQLiteTransaction) throws -> (any Error)? {
    do {
      try transaction.savepoint {
        for job in jobs[stretch] { try job.run(in: transaction) }
      }
      return nil
    } catch {
      guard transaction.database.isInsideTransaction, transaction.scope.spoiled == nil else { throw error }
      return error
    }
  }
}

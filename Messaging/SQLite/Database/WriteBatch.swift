import FaultInjection
import GRDB
import Messaging

/// Writes that share one transaction.
///
/// One that throws is undone alone. For that each would need a savepoint, and under a savepoint SQLite keeps a copy of every
/// page before it changes it: a tenth of all that an order costs (docs/performance.md). So repeatable writes are carried out
/// without any. When something throws, all are undone and carried out again, now with savepoints (the only write of a
/// batch needs none of its own). When SQLite ends the whole transaction, or cannot commit it, nothing of the batch is
/// written and every write of it fails with `StoreUnavailable`. No committed write was carried out twice.
struct WriteBatch {
  /// What became of a batch.
  struct Outcome {
    /// Per job, in order; nil for what is committed.
    var errors: [(any Error)?]
    /// Why the transaction as a whole failed, nil when it was committed.
    var failure: StoreUnavailable?
    /// To be carried out now; empty when nothing was committed.
    var scope = CommitScope()
    /// Nothing is written: something threw, and could not be undone alone.
    fileprivate var isToBeRepeated = false

    /// Whether any job has succeeded.
    fileprivate var hasWrites: Bool { errors.contains { $0 == nil } }

    fileprivate init(of jobs: [any WriteJob]) { errors = Array(repeating: nil, count: jobs.count) }
  }

  let jobs: [any WriteJob]

  /// Returns after the commit is synced.
  func commit(on connection: any DatabaseWriter, with statements: PreparedStatements) -> Outcome {
    if jobs.allSatisfy(\.isRepeatable) {
      let outcome = carryOut(on: connection, with: statements, hasSavepoints: false)
      if !outcome.isToBeRepeated { return outcome }
    }
    return carryOut(on: connection, with: statements, hasSavepoints: true)
  }

  private func carryOut(
    on connection: any DatabaseWriter, with statements: PreparedStatements, hasSavepoints: Bool
  ) -> Outcome {
    var outcome = Outcome(of: jobs)
    do {
      try connection.writeWithoutTransaction { database in
        try database.inTransaction(Mutation.deferredTransaction.isOn ? .deferred : .immediate) {
          let transaction = SQLiteTransaction(
            database: database, scope: outcome.scope, statements: statements, hasSavepoints: hasSavepoints)
          try run(in: transaction, &outcome)
          if outcome.isToBeRepeated { return .rollback }
          if let spoiled = outcome.scope.spoiled { throw spoiled }
          guard outcome.hasWrites else { return .rollback }
          try Failpoint.storeBeforeCommit.hit()
          return .commit
        }
      }
    } catch {
      let failure = StoreUnavailable(rolledBackBy: error)
      outcome.isToBeRepeated = false
      outcome.failure = failure
      for index in jobs.indices where outcome.errors[index] == nil { outcome.errors[index] = failure }
    }
    if !outcome.hasWrites { outcome.scope = CommitScope() }
    return outcome
  }

  /// - Throws: where the whole transaction has to go.
  private func run(in transaction: SQLiteTransaction, _ outcome: inout Outcome) throws {
    for (index, job) in jobs.enumerated() {
      do {
        if transaction.hasSavepoints, jobs.count > 1 {
          try transaction.savepoint { try job.run(in: transaction) }
        } else {
          try job.run(in: transaction)
        }
      } catch {
        guard transaction.database.isInsideTransaction else { throw error }
        outcome.errors[index] = StoreUnavailable.translating(error)
      }
      guard !transaction.hasSavepoints else { continue }
      outcome.isToBeRepeated = transaction.scope.spoiled != nil || (outcome.errors[index] != nil && jobs.count > 1)
      if outcome.isToBeRepeated { return }
    }
  }
}

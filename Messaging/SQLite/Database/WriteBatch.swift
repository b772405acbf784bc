import FaultInjection
import GRDB
import Messaging

/// Writes that share one transaction.
///
/// Each has a savepoint of its own (the only one of a batch needs none): one that throws is undone alone. When SQLite
/// ends the whole transaction, or cannot commit it, nothing of the batch is written and every write of it fails with
/// `StoreUnavailable`. A write is never carried out twice.
struct WriteBatch {
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
    for index in jobs.indices {
      do {
        try transaction.savepoint { try jobs[index].run(in: transaction) }
      } catch {
        errors[index] = error
        guard transaction.database.isInsideTransaction, transaction.scope.spoiled == nil else { throw error }
      }
    }
    return errors.contains { $0 == nil } ? .commit : .rollback
  }
}

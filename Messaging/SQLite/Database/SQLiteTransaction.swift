import GRDB
import Messaging

/// The transaction in which a write runs. Valid inside the closure that it was given to, and nowhere else.
public struct SQLiteTransaction {
  /// For statements. Do not begin, commit or roll back with it: the transaction is shared with other writes. For the
  /// same reason a store has no deferred constraints: one that fails at the commit would fail all of them.
  public let database: Database
  let scope: CommitScope
  let statements: PreparedStatements
  /// Whether ``savepoint(_:)`` makes one. Where it makes none, what throws inside of it undoes the whole transaction, which
  /// is then carried out again with savepoints.
  let hasSavepoints: Bool

  /// Runs `action` after the commit is synced, and never if this write is rolled back.
  ///
  /// Actions run on the writer's thread, in the order they were added, before anybody who waits for the commit goes on.
  /// They must be short and must not block: the next commit waits for them.
  public func afterCommit(_ action: @escaping @Sendable () -> Void) {
    scope.add(action, for: nil)
  }

  /// The same, but one action for `subject` in a commit, however often it is asked for and by however many of the writes
  /// that share the commit. The first action that was given is the one that runs.
  public func afterCommit(once subject: any AnyObject & Sendable, _ action: @escaping @Sendable () -> Void) {
    scope.add(action, for: subject)
  }

  /// Runs `body`; when it throws, its statements and its `afterCommit` actions are undone, and nothing else. May be nested.
  ///
  /// - Throws: what `body` throws. But `StoreUnavailable` when that was the store's own trouble (busy, full, I/O), or when
  ///   the whole transaction has to be rolled back for it: then nothing else can be done in this transaction. In the first
  ///   run of a repeatable write it is always the latter: let it pass.
  public func savepoint<R>(_ body: () throws -> R) throws -> R {
    guard hasSavepoints else { return try withoutSavepoint(body) }
    let mark = scope.mark
    do {
      try execute(Savepoint.begin)
    } catch {
      throw StoreUnavailable(rolledBackBy: error)
    }
    do {
      let result = try body()
      try execute(Savepoint.release)
      return result
    } catch {
      scope.rewind(to: mark)
      try undo(because: error)
      throw StoreUnavailable.translating(error)
    }
  }

  private func withoutSavepoint<R>(_ body: () throws -> R) throws -> R {
    do {
      return try body()
    } catch {
      let failure = StoreUnavailable(rolledBackBy: error)
      scope.spoil(failure)
      throw failure
    }
  }

  /// SQLite may have ended the whole transaction by itself; then there is no savepoint to go back to.
  private func undo(because error: any Error) throws {
    guard database.isInsideTransaction else { throw StoreUnavailable(rolledBackBy: error) }
    do {
      try execute(Savepoint.rollback)
      try execute(Savepoint.release)
    } catch {
      scope.spoil(StoreUnavailable(rolledBackBy: error))
      throw StoreUnavailable(rolledBackBy: error)
    }
  }
}

/// One name for all savepoints: SQLite takes the innermost.
private enum Savepoint {
  static let begin = PreparedSQL("SAVEPOINT write")
  static let release = PreparedSQL("RELEASE SAVEPOINT write")
  static let rollback = PreparedSQL("ROLLBACK TRANSACTION TO SAVEPOINT write")
}

/// What is to be done when a transaction is committed. Belongs to the writer's thread.
final class CommitScope {
  private struct Action {
    let subject: (any AnyObject & Sendable)?
    let run: @Sendable () -> Void
  }

  private var actions: [Action] = []
  /// Set when what threw could not be undone alone: the transaction must not be committed.
  private(set) var spoiled: StoreUnavailable?

  /// A place in the list of actions to go back to.
  var mark: Int { actions.count }

  func add(_ action: @escaping @Sendable () -> Void, for subject: (any AnyObject & Sendable)?) {
    // An action further up the list goes only if this one would go with it, since `rewind` cuts off the end.
    if let subject, actions.contains(where: { $0.subject === subject }) { return }
    actions.append(Action(subject: subject, run: action))
  }

  func rewind(to mark: Int) {
    actions.removeSubrange(mark...)
  }

  func spoil(_ error: StoreUnavailable) {
    spoiled = error
  }

  func runActions() {
    for action in actions { action.run() }
  }
}

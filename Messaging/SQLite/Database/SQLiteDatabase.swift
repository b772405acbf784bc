import GRDB
import Messaging

/// A store in one SQLite file (or in memory), written by one thread with group commit, read by snapshots.
///
/// A write that has returned is durable: its transaction was synced (WAL, `synchronous=FULL`). Writes are carried out
/// one after another, in the order in which they were asked for; those that wait while a commit is being synced share the
/// next one. A write that throws is undone alone. Several processes may open one file.
///
/// Threads: every member may be called from any thread, but from inside a write only what its transaction offers.
public final class SQLiteDatabase: Sendable {
  /// The file, or ":memory:".
  public let path: String
  private let connection: any DatabaseWriter
  private let writer: GroupCommitWriter
  private let gate = ReadGate()
  /// Nil for a store in memory.
  let handling: HandlingMarks?

  /// See ``open(path:migrations:configuration:)`` and ``inMemory(migrations:configuration:)``.
  init(path: String, connection: any DatabaseWriter, writer: GroupCommitWriter, handling: HandlingMarks? = nil) {
    self.path = path
    self.handling = handling
    self.connection = connection
    self.writer = writer
    writer.start()
  }

  deinit {
    // Who has not closed the store gets no final checkpoint before going on; the thread ends all the same.
    writer.stop()
  }

  /// Runs `body` in a transaction and returns its result when the commit is synced.
  ///
  /// Guarantees: `body` runs at most once unless it is repeatable, on the writer's thread, where it must not wait for
  /// anything else. What it wrote is committed as a whole, or not at all. Cancelling the calling task has no influence: a
  /// write that has been asked for is carried out, and its result reported.
  ///
  /// - Parameter isRepeatable: `body` may run a second time after everything that it has written was undone. A commit of
  ///   such writes has no savepoints the first time, which makes each cheaper; one that throws costs those beside it a
  ///   second run, so what is likely to fail should not be repeatable, or return its failure.
  /// - Throws: what `body` throws, its statements undone. `StoreUnavailable` when the store could not do it now (full,
  ///   busy, overloaded, I/O error, closed); then nothing was written, as far as can be known: after an I/O error while
  ///   syncing, a crash can still bring the write to light.
  public func write<T: Sendable>(
    isRepeatable: Bool = false, _ body: @escaping @Sendable (SQLiteTransaction) throws -> T
  ) async throws -> T {
    try await withCheckedThrowingContinuation { continuation in
      write(isRepeatable: isRepeatable, body) { continuation.resume(with: $0) }
    }
  }

  /// The same for threads of ours that do not wait for it. `answer` is called exactly once: on the writer's thread, which
  /// it must not keep, or on the caller's when the store takes no writes now.
  public func write<T: Sendable>(
    isRepeatable: Bool = false, _ body: @escaping @Sendable (SQLiteTransaction) throws -> T,
    answer: @escaping @Sendable (Result<T, any Error>) -> Void
  ) {
    do {
      try writer.submit(PendingWrite(isRepeatable: isRepeatable, body, answer: answer))
    } catch {
      answer(.failure(error))
    }
  }

  /// The same as ``write(_:)`` for threads of ours: blocks the calling thread until the commit is synced.
  ///
  /// Never call it from a task: it would block a thread of the cooperative pool.
  ///
  /// - Parameter meanwhile: what the calling thread does before it waits. Not called when the store takes no writes now.
  public func writeBlocking<T: Sendable>(
    isRepeatable: Bool = false, _ body: @escaping @Sendable (SQLiteTransaction) throws -> T,
    meanwhile: () -> Void = {}
  ) throws -> T {
    try refuseWriterThread()
    let answer = BlockingAnswer<T>()
    try writer.submit(PendingWrite(isRepeatable: isRepeatable, body) { answer.give($0) })
    meanwhile()
    return try answer.wait()
  }

  /// Runs `body` on a snapshot of everything committed so far. Writes neither wait for it nor change what it sees.
  ///
  /// Waits while all readers are in use, without blocking a thread of the cooperative pool. A cancelled task's read ends
  /// with `CancellationError`.
  ///
  /// - Throws: what `body` throws; `StoreUnavailable` when the store cannot be read now.
  public func read<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T) async throws -> T {
    try gate.enter()
    defer { gate.leave() }
    do {
      return try await connection.read(body)
    } catch {
      throw StoreUnavailable.translating(error)
    }
  }

  /// The same as ``read(_:)`` for threads of ours: blocks the calling thread. Not from inside a read or a write.
  public func readBlocking<T>(_ body: (Database) throws -> T) throws -> T {
    try refuseWriterThread()
    try gate.enter()
    defer { gate.leave() }
    do {
      return try connection.read(body)
    } catch {
      throw StoreUnavailable.translating(error)
    }
  }

  /// What the writer has done so far, and whether it is in trouble.
  public var statistics: SQLiteStatistics { writer.statistics }

  /// What SQLite's own check finds wrong with the file; nothing when it is sound. Reads the whole file, and blocks.
  public func integrityCheck() throws -> [String] {
    try readBlocking { database in
      try String.fetchAll(database, sql: "PRAGMA integrity_check").filter { $0 != "ok" }
    }
  }

  /// Waits for the reads in hand, writes what is queued, empties the write-ahead log and closes the file. Blocks until that is done.
  /// A second call does nothing. Whatever is called afterwards throws `StoreUnavailable`.
  public func close() throws {
    try refuseWriterThread()
    let isFirst = gate.close()
    // Reads go first: one in hand would keep the write-ahead log from being emptied.
    gate.waitUntilEmpty()
    writer.stop()
    writer.waitUntilFinished()
    guard isFirst else { return }
    handling?.close()
    do {
      try connection.close()
    } catch {
      throw StoreUnavailable.translating(error)
    }
  }

  private func refuseWriterThread() throws {
    guard !writer.isCurrentThread else {
      throw SQLiteStoreError(
        path: path, reason: "called from inside a write of the same store, which would wait for itself")
    }
  }
}

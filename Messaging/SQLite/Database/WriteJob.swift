import Dispatch

/// A write that waits for its place in a transaction.
protocol WriteJob: AnyObject, Sendable {
  /// Whether ``run(in:)`` may be called once more after its statements were undone.
  var isRepeatable: Bool { get }

  /// Carries out the statements, and keeps the result for ``finish(_:)``. Called at most once, or twice where it
  /// ``isRepeatable``.
  func run(in transaction: SQLiteTransaction) throws

  /// Answers the caller: with the result of ``run(in:)`` when `error` is nil. Called exactly once.
  func finish(_ error: (any Error)?)
}

/// The write of one caller.
final class PendingWrite<Value: Sendable>: WriteJob, @unchecked Sendable {
  // @unchecked: `value` is touched by `run` and `finish` only, both on the writer's thread.
  let isRepeatable: Bool
  private let body: @Sendable (SQLiteTransaction) throws -> Value
  private let answer: @Sendable (Result<Value, any Error>) -> Void
  private var value: Value?

  init(
    isRepeatable: Bool = false, _ body: @escaping @Sendable (SQLiteTransaction) throws -> Value,
    answer: @escaping @Sendable (Result<Value, any Error>) -> Void
  ) {
    self.isRepeatable = isRepeatable
    self.body = body
    self.answer = answer
  }

  func run(in transaction: SQLiteTransaction) throws {
    value = try body(transaction)
  }

  func finish(_ error: (any Error)?) {
    if let error {
      answer(.failure(error))
    } else if let value {
      answer(.success(value))
    } else {
      answer(.failure(WriteNotRun()))
    }
  }
}

/// Never seen by a caller as long as the writer runs a job before it finishes it without an error.
private struct WriteNotRun: Error {}

/// A place for one result, and a thread that waits for it.
final class BlockingAnswer<Value: Sendable>: @unchecked Sendable {
  // @unchecked: `result` is written before the semaphore is signalled and read after it was waited for.
  private let arrived = DispatchSemaphore(value: 0)
  private var result: Result<Value, any Error>?

  func give(_ result: Result<Value, any Error>) {
    self.result = result
    arrived.signal()
  }

  func wait() throws -> Value {
    arrived.wait()
    guard let result else { throw WriteNotRun() }
    return try result.get()
  }
}

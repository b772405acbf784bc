import Dispatch
import Synchronization

/// Runs what is asynchronous to its end, on a thread of ours that has nothing else to do meanwhile: a simulation's steps
/// come one after the other.
func blocking<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) throws -> Value {
  let answer = Answer<Value>()
  Task.detached {
    do { answer.give(.success(try await body())) } catch { answer.give(.failure(error)) }
  }
  return try answer.wait()
}

private final class Answer<Value: Sendable>: Sendable {
  private let result = Mutex<Result<Value, any Error>?>(nil)
  private let arrived = DispatchSemaphore(value: 0)

  func give(_ result: Result<Value, any Error>) {
    self.result.withLock { $0 = result }
    arrived.signal()
  }

  func wait() throws -> Value {
    arrived.wait()
    guard let result = result.withLock({ $0 }) else { throw CancellationError() }
    return try result.get()
  }
}

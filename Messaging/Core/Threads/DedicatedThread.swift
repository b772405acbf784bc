import Dispatch
import Foundation

/// A thread of our own for work that blocks: waiting for a broker, waiting for a disk.
///
/// Blocking on a thread of the cooperative pool would stop every other task of the process.
public enum DedicatedThread {
  /// Runs `body` on a new thread and returns what it returned. The calling task is suspended meanwhile; the thread
  /// ends with `body`.
  ///
  /// Neither cancellation nor graceful shutdown reaches `body` by itself: set a flag that it reads, and wake it.
  ///
  /// - Parameter name: what debuggers and `top -H` show; Linux cuts it to 15 bytes.
  public static func run<Result: Sendable>(
    named name: String, _ body: @escaping @Sendable () throws -> Result
  ) async throws -> Result {
    // Resumed exactly once: by the last statement of the thread's only function.
    try await withCheckedThrowingContinuation { continuation in
      start(named: name) { continuation.resume(with: Swift.Result { try body() }) }
    }
  }

  /// Runs `body` on a new thread, which ends with it.
  ///
  /// - Parameters:
  ///   - name: as of ``run(named:_:)``.
  ///   - stackSize: in bytes.
  public static func start(named name: String, stackSize: Int = 2 << 20, _ body: @escaping @Sendable () -> Void) {
    // On Linux a thread has no name to be given until `start()` has returned.
    let started = DispatchSemaphore(value: 0)
    let thread = Thread {
      started.wait()
      Thread.current.name = String(name.utf8.prefix(15)) ?? "orderflow"
      body()
    }
    thread.stackSize = stackSize
    thread.start()
    started.signal()
  }
}

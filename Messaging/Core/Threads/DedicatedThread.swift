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
    let thread = Thread {
      nameCurrent(name)
      body()
    }
    thread.stackSize = stackSize
    thread.start()
  }

  /// Not by `Thread.name`: on Linux it does nothing before the start, nor until `start()` is about to return.
  private static func nameCurrent(_ name: String) {
    #if canImport(Darwin)
      pthread_setname_np(name)
    #else
      pthread_setname_np(pthread_self(), String(name.utf8.prefix(15)) ?? "orderflow")
    #endif
  }
}

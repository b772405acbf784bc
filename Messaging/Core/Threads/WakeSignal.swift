import Foundation

/// A flag that a thread can wait for. A wake that comes before the wait is not lost; several count as one.
///
/// Threads: any.
public final class WakeSignal: Sendable {
  private let state = Monitor(false)

  public init() {}

  /// Sets the flag. Never blocks.
  public func wake() {
    state.change { $0 = true }
  }

  /// Blocks the calling thread until ``wake()`` or for `timeout`.
  ///
  /// - Returns: whether it was woken.
  @discardableResult
  public func wait(atMost timeout: Duration) -> Bool {
    state.wait(atMost: timeout) { isSet in
      guard isSet else { return nil }
      isSet = false
      return true
    } ?? false
  }
}

/// A value with a lock, and a way to wait until it has become what one waits for.
final class Monitor<Value>: @unchecked Sendable {
  // @unchecked: `value` is read and written with `condition` locked, and nowhere else.
  private let condition = NSCondition()
  private var value: Value

  init(_ value: sending Value) {
    self.value = value
  }

  /// Reads, or changes what nobody waits for.
  func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
    condition.lock()
    defer { condition.unlock() }
    return try body(&value)
  }

  /// Changes the value and lets everybody who waits look again.
  func change<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
    condition.lock()
    defer {
      condition.broadcast()
      condition.unlock()
    }
    return try body(&value)
  }

  /// Blocks until `take` returns something, at most for `timeout`; nil after that. `take` runs with the lock held,
  /// once at the start and once after each change.
  func wait<Result>(atMost timeout: Duration, _ take: (inout Value) -> Result?) -> Result? {
    condition.lock()
    defer { condition.unlock() }
    if let result = take(&value) { return result }
    guard timeout > .zero else { return nil }
    let end = Date(timeIntervalSinceNow: timeout / .seconds(1))
    while condition.wait(until: end) {
      if let result = take(&value) { return result }
    }
    return take(&value)
  }
}

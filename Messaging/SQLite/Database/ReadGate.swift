import Dispatch
import Messaging
import Synchronization

/// Lets reads in until the store is closed, and tells when the last one is out.
final class ReadGate: Sendable {
  private let isClosed = Mutex(false)
  private let reads = DispatchGroup()

  /// Each successful call is followed by exactly one ``leave()``.
  ///
  /// - Throws: `StoreUnavailable` after ``close()``.
  func enter() throws {
    try isClosed.withLock { isClosed in
      guard !isClosed else { throw StoreUnavailable("the store is closed") }
      reads.enter()
    }
  }

  func leave() {
    reads.leave()
  }

  /// - Returns: false when it was closed before.
  func close() -> Bool {
    isClosed.withLock { isClosed in
      defer { isClosed = true }
      return !isClosed
    }
  }

  func waitUntilEmpty() {
    reads.wait()
  }
}

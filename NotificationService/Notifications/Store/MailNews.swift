import Synchronization

/// Tells whoever wants to know that mails have been written, once for each commit. It says that there is news, not
/// what: listeners read the store.
///
/// Threads: any; nothing blocks.
public final class MailNews: Sendable {
  private struct State {
    var listeners: [UInt64: @Sendable () -> Void] = [:]
    var next: UInt64 = 0
  }

  private let state = Mutex(State())

  public init() {}

  /// To be called after the commit.
  func announce() {
    for listener in state.withLock({ Array($0.listeners.values) }) { listener() }
  }

  /// Has `call` called after each commit that has written a mail, until ``forget(_:)``. It runs on the writer's thread and
  /// must not block.
  @discardableResult
  func listen(_ call: @escaping @Sendable () -> Void) -> UInt64 {
    state.withLock { state in
      state.next += 1
      state.listeners[state.next] = call
      return state.next
    }
  }

  func forget(_ listener: UInt64) {
    state.withLock { $0.listeners[listener] = nil }
  }
}

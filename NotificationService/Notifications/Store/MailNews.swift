import Synchronization

/// Tells whoever wants to know that mails have been written, once for each commit. It says that there is news, not
/// what: listeners read the store.
///
/// Threads: any; nothing blocks.
public final class MailNews: Sendable {
  private let listeners = Mutex<[@Sendable () -> Void]>([])

  public init() {}

  /// To be called after the commit.
  func announce() {
    for listener in listeners.withLock({ $0 }) { listener() }
  }

  /// Has `call` called after each commit that has written a mail. It runs on the writer's thread and must not block.
  func listen(_ call: @escaping @Sendable () -> Void) {
    listeners.withLock { $0.append(call) }
  }
}

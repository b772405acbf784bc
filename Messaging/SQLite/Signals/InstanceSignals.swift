import Logging
import Messaging
import ServiceLifecycle
import Synchronization

/// Wake-ups between the instances of a service, the processes over one store: who commits something that another
/// instance waits for tells it at once.
///
/// Nothing depends on a signal. One that is lost, or that comes where no socket can be made, is made up for by the slow
/// poll of whoever waits. An instance that is alone sends nothing; its thread sleeps.
///
/// Each running instance has a Unix datagram socket in the folder `<database>-instances`. It finds the others by their
/// sockets there when it starts, and says hello to them; sockets of dead processes are removed on the way.
///
/// Threads: ``run()`` starts one that waits for signals; every other member may be called from any, and none blocks.
public final class InstanceSignals: Service {
  fileprivate struct State {
    var socket: SignalSocket?
    var others: Set<String> = []
    /// Those that have lost a signal, and are told so by the next one.
    var behind: Set<String> = []
    /// What has changed in transactions that are not committed yet.
    var changedKeys: [String] = []
    var listeners: [@Sendable (InstanceNews) -> Void] = []
  }

  private let folder: String?
  private let logger: Logger
  private let state = Mutex(State())

  /// Nothing is opened before ``run()``.
  ///
  /// - Parameter database: one in memory has no other instances.
  public init(beside database: SQLiteDatabase, logger: Logger) {
    folder = database.path == ":memory:" ? nil : database.path + "-instances"
    self.logger = logger
  }

  /// Has `listener` called with what the other instances tell, on the signals' thread, where it must not block.
  public func onNews(_ listener: @escaping @Sendable (InstanceNews) -> Void) {
    state.withLock { $0.listeners.append(listener) }
  }

  /// How many other instances are known now.
  public var otherInstances: Int { state.withLock { $0.others.count } }

  /// Tells the others that the outbox has grown. To be called after the commit, by an instance that does not publish it
  /// itself.
  public func tellOutboxIsWaiting() {
    state.withLock { $0.tell(.appended) }
  }

  /// Tells the others, once `transaction` is committed, that what `key` stands for has changed.
  public func tellChange(of key: String, after transaction: SQLiteTransaction) {
    // Noted before the commit, so that one action after it sends them all. What is rolled back goes out with the next
    // commit: somebody looks once too often.
    let isNoted = state.withLock { state in
      guard !state.others.isEmpty else { return false }
      if state.changedKeys.count <= InstanceSignal.mostKeys { state.changedKeys.append(key) }
      return true
    }
    guard isNoted else { return }
    transaction.afterCommit(once: self) { [self] in
      state.withLock { state in
        state.tell(.changed(state.changedKeys))
        state.changedKeys = []
      }
    }
  }

  /// Listens until the service is shut down, and says goodbye. To be stopped after the relay: the goodbye makes another
  /// instance's take over.
  public func run() async throws {
    if let socket = open() {
      try await withTaskCancellationOrGracefulShutdownHandler {
        try await DedicatedThread.run(named: "signals") { self.listen(on: socket) }
      } onCancelOrGracefulShutdown: {
        socket.interrupt()
      }
    }
    try? await gracefulShutdown()
  }

  private func open() -> SignalSocket? {
    guard let folder else { return nil }
    do throws(SignalSocket.Failed) {
      return try SignalSocket(folder: folder)
    } catch {
      logger.notice(
        "Instances of this service cannot wake each other, and look for themselves instead",
        metadata: ["reason": "\(error)"])
      return nil
    }
  }

  private func listen(on socket: SignalSocket) {
    state.withLock { state in
      state.socket = socket
      state.others = Set(socket.neighbours())
      state.tell(.hello(socket.name))
    }
    while let signals = socket.receive() { take(signals) }
    state.withLock { state in
      state.tell(.goodbye(socket.name))
      state.socket = nil
      state.others = []
    }
    socket.close()
  }

  private func take(_ signals: [InstanceSignal]) {
    var news = InstanceNews()
    let listeners = state.withLock { state in
      for signal in signals { state.take(signal, &news) }
      return state.listeners
    }
    guard !news.isEmpty else { return }
    for listener in listeners { listener(news) }
  }
}

extension InstanceSignals.State {
  fileprivate mutating func tell(_ signal: InstanceSignal) {
    guard let socket else { return }
    for name in others {
      switch socket.send(behind.contains(name) ? signal.withLossesBefore : signal, to: name) {
      case .sent: behind.remove(name)
      case .lost: behind.insert(name)
      case .gone:
        others.remove(name)
        behind.remove(name)
      }
    }
  }

  fileprivate mutating func take(_ signal: InstanceSignal, _ news: inout InstanceNews) {
    switch signal {
    case .hello(let name):
      if SignalSocket.isName(name), name != socket?.name { others.insert(name) }
    case .goodbye(let name):
      others.remove(name)
      behind.remove(name)
      news.isOutboxWaiting = true
    case .appended: news.isOutboxWaiting = true
    case .changed(let keys): news.changedKeys.formUnion(keys)
    case .lookAgain:
      news.isOutboxWaiting = true
      news.mayBeIncomplete = true
    }
  }
}

extension InstanceSignal {
  /// What to send instead to somebody who has lost signals before this one. Comings and goings have no substitute.
  fileprivate var withLossesBefore: InstanceSignal {
    switch self {
    case .hello, .goodbye: self
    case .appended, .changed, .lookAgain: .lookAgain
    }
  }
}

import EventSchema
import MessagingSQLite
import Synchronization

/// Requests that wait for an order to change. A change that is committed here after ``withChanges(of:_:)`` has begun is
/// never missed: begin first, then read the order. Of one that another instance commits, its signal tells.
///
/// Threads: every member may be called from any thread, and none blocks. A waiter keeps one signal at most.
public final class OrderWaiters: Sendable {
  private struct Registered {
    var changes: [OrderID: [UInt64: AsyncStream<Void>.Continuation]] = [:]
    var nextID: UInt64 = 0
  }

  private let registered = Mutex(Registered())
  private let signals: InstanceSignals?

  /// - Parameter signals: those of the other instances; nil where there are none.
  public init(signals: InstanceSignals? = nil) {
    self.signals = signals
    signals?.onNews { [weak self] in self?.take($0) }
  }

  /// Wakes, once `transaction` is committed, whoever waits for `orderID`: here, and in the other instances.
  public func wake(_ orderID: OrderID, after transaction: SQLiteTransaction) {
    transaction.afterCommit { [self] in wake(orderID) }
    signals?.tellChange(of: orderID.rawValue, after: transaction)
  }

  /// Wakes whoever waits for `orderID` here. To be called after the commit.
  public func wake(_ orderID: OrderID) {
    let waiting = registered.withLock { $0.changes[orderID] }
    guard let waiting else { return }
    for changes in waiting.values { changes.yield() }
  }

  private func take(_ news: InstanceNews) {
    let orders = registered.withLock { Array($0.changes.keys) }
    for order in orders where news.mayBeIncomplete || news.changedKeys.contains(order.rawValue) { wake(order) }
  }

  /// How many requests are waiting now.
  public var count: Int {
    registered.withLock { $0.changes.values.reduce(0) { $0 + $1.count } }
  }

  /// Runs `body` with a stream that has an element after each change of `orderID`, and forgets the waiter when `body`
  /// ends, however it does. Finishing the stream's continuation makes the waiter give up.
  func withChanges<Result>(
    of orderID: OrderID,
    _ body: (AsyncStream<Void>, AsyncStream<Void>.Continuation) async throws -> Result
  ) async rethrows -> Result {
    let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let id = registered.withLock { registered in
      registered.nextID += 1
      registered.changes[orderID, default: [:]][registered.nextID] = continuation
      return registered.nextID
    }
    defer {
      registered.withLock { registered in
        registered.changes[orderID]?[id] = nil
        if registered.changes[orderID]?.isEmpty == true { registered.changes[orderID] = nil }
      }
    }
    return try await body(stream, continuation)
  }
}

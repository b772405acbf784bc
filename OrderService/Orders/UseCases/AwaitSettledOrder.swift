import EventSchema
import ServiceLifecycle

/// Waits until an order has left `PENDING`, and answers with the order as it stands then, or at the end of the wait.
///
/// The wait ends with the commit that settles the order. It ends early, with the order as it stands, when the service
/// shuts down or the caller stops it. Nothing of a waiter is left behind, however its wait ends.
public struct AwaitSettledOrder: Sendable {
  private let getOrder: GetOrder
  private let waiters: OrderWaiters
  private let clock: any Clock<Duration>
  private let safetyNet: Duration

  /// - Parameter safetyNet: how often to look all the same. A signal of another instance of the service may be lost; what
  ///   it settled is then seen after this time.
  public init(
    getOrder: GetOrder, waiters: OrderWaiters, clock: any Clock<Duration> = .continuous,
    safetyNet: Duration = .seconds(2)
  ) {
    self.getOrder = getOrder
    self.waiters = waiters
    self.clock = clock
    self.safetyNet = safetyNet
  }

  /// Runs a wait, and may call the action it is given to end the wait early, from any thread.
  public typealias Interruption =
    (_ stop: @escaping @Sendable () -> Void, _ waiting: () async throws -> Order) async throws -> Order

  /// - Parameter interruption: runs the wait; the place to listen for whatever makes it pointless.
  /// - Throws: ``UnknownOrder``
  public func callAsFunction(
    _ orderID: OrderID, upTo wait: Duration, interruption: Interruption = { _, waiting in try await waiting() }
  ) async throws -> Order {
    guard wait > .zero else { return try await getOrder(orderID) }

    // Begin to listen before the first look: a commit in between is then a signal that waits for us.
    return try await waiters.withChanges(of: orderID) { changes, signals in
      let stop: @Sendable () -> Void = { signals.finish() }
      return try await withGracefulShutdownHandler {
        try await interruption(stop) { try await firstSettled(orderID, upTo: wait, changes, signals) }
      } onGracefulShutdown: {
        stop()
      }
    }
  }

  private func firstSettled(
    _ orderID: OrderID, upTo wait: Duration, _ changes: AsyncStream<Void>, _ signals: AsyncStream<Void>.Continuation
  ) async throws -> Order {
    let order = try await getOrder(orderID)
    guard !order.status.isSettled else { return order }

    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await tick(for: wait, signals) }
      defer { group.cancelAll() }
      for await _ in changes {
        let order = try await getOrder(orderID)
        if order.status.isSettled { return order }
      }
      return try await getOrder(orderID)
    }
  }

  /// Signals now and then, and ends the signals when `wait` is over.
  private func tick(for wait: Duration, _ signals: AsyncStream<Void>.Continuation) async throws {
    var left = wait
    while left > safetyNet {
      try await clock.sleep(for: safetyNet)
      signals.yield()
      left -= safetyNet
    }
    try await clock.sleep(for: left)
    signals.finish()
  }
}

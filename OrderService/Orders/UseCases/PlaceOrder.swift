import EventSchema
import FaultInjection
import MessagingSQLite
import WireFormat

/// Takes an order.
///
/// When this returns, the order and its `ORDER_CREATED` are in one committed and synced transaction: it survives
/// whatever happens to this process or its machine, and is published whenever the broker can be reached.
public struct PlaceOrder: Sendable {
  private let database: SQLiteDatabase
  private let orders: OrderStore
  private let ids: UUIDv7Generator
  private let now: @Sendable () -> Timestamp

  public init(
    database: SQLiteDatabase, orders: OrderStore, ids: UUIDv7Generator, now: @escaping @Sendable () -> Timestamp
  ) {
    self.database = database
    self.orders = orders
    self.ids = ids
    self.now = now
  }

  /// - Parameter trace: that of the request; a new one begins where there is none.
  /// - Throws: `StoreUnavailable` when nothing was written for reasons that pass.
  public func callAsFunction(_ draft: OrderDraft, trace: TraceContext? = nil) async throws -> Order {
    try await withCheckedThrowingContinuation { continuation in
      self(draft, trace: trace, answering: { $0 }) { continuation.resume(with: $0) }
    }
  }

  /// The same for callers that do not wait for it.
  ///
  /// - Parameters:
  ///   - answering: makes the answer, on the calling thread before anything is written.
  ///   - answer: gets it after the synced commit, or why there is none. Called exactly once: on the writer's thread, which
  ///     it must not keep, or on the caller's when the store takes no writes now.
  public func callAsFunction<Answer: Sendable>(
    _ draft: OrderDraft, trace: TraceContext?, answering: (Order) -> Answer,
    answer: @escaping @Sendable (Result<Answer, any Error>) -> Void
  ) {
    let now = now()
    let order = Order.placed(draft, id: OrderID.next(from: ids, at: now), at: now)
    let prepared = orders.prepare(order, trace: trace)
    let answered = answering(order)
    database.write(isRepeatable: true) { [orders] transaction in
      try orders.insert(prepared, in: transaction)
    } answer: { result in
      if case .success = result { Failpoint.orderAfterCommit.pass(order.id.rawValue) }
      answer(result.map { answered })
    }
  }
}

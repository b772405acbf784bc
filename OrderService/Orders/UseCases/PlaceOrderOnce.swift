import EventSchema
import FaultInjection
import MessagingSQLite
import WireFormat

/// Takes an order once for a key, however often it is asked for, over however many connections and processes at once.
///
/// The key is written in the order's own transaction: after a crash either both are there, and the next attempt gets
/// the answer that was lost, or neither, and the next attempt places the order. The store has one writer, so an attempt
/// that arrives while another is being committed waits for that commit and then finds its key.
public struct PlaceOrderOnce: Sendable {
  private let database: SQLiteDatabase
  private let orders: OrderStore
  private let keys: IdempotencyKeyStore
  private let ids: UUIDv7Generator
  private let now: @Sendable () -> Timestamp

  public init(
    database: SQLiteDatabase, orders: OrderStore, keys: IdempotencyKeyStore, ids: UUIDv7Generator,
    now: @escaping @Sendable () -> Timestamp
  ) {
    self.database = database
    self.orders = orders
    self.keys = keys
    self.ids = ids
    self.now = now
  }

  /// What a key's first attempt was answered with.
  public struct Outcome: Sendable, Hashable {
    public var answer: FirstAnswer
    /// Whether that was an earlier attempt than this one.
    public var isRepeated: Bool
  }

  /// Returns after the synced commit, with the same promise as ``PlaceOrder``.
  ///
  /// - Parameters:
  ///   - trace: that of the request; a new one begins where there is none.
  ///   - answering: makes the answer that is kept with the key, byte for byte.
  /// - Throws: ``KeyOfAnotherOrder``, with nothing written, where the key was used for an order that differs: in its
  ///   customer, in an item, or in the order of its items, which an order keeps and shows.
  public func callAsFunction(
    _ draft: OrderDraft, key: IdempotencyKey, trace: TraceContext? = nil, answering: (Order) -> [UInt8]
  ) async throws -> Outcome {
    let now = now()
    let order = Order.placed(draft, id: OrderID.next(from: ids, at: now), at: now)
    let prepared = orders.prepare(order, trace: trace)
    let answer = FirstAnswer(orderID: order.id, body: answering(order))
    if Mutation.idempotencyKeyBeforeOrder.isOn {
      _ = try await database.write { [keys] in try keys.claim(key, answer: answer, at: now, in: $0) }
    }
    let outcome: Result<Outcome, KeyOfAnotherOrder> = try await database.write(isRepeatable: true) {
      [orders, keys] transaction in
      let first = try keys.claim(key, answer: answer, at: now, in: transaction)
      guard let first, !(Mutation.idempotencyKeyBeforeOrder.isOn && first == answer) else {
        try Failpoint.orderAfterKey.hit(order.id.rawValue)
        try orders.insert(prepared, in: transaction)
        return .success(Outcome(answer: answer, isRepeated: false))
      }
      // The order itself is what the key stands for: no digest of it that another version could make differently.
      guard try orders.order(first.orderID, in: transaction).isPlaced(from: draft) else {
        return .failure(KeyOfAnotherOrder(orderID: first.orderID))
      }
      return .success(Outcome(answer: first, isRepeated: true))
    }
    let kept = try outcome.get()
    Failpoint.orderAfterCommit.pass(kept.answer.orderID.rawValue)
    return kept
  }
}

extension Order {
  /// Whether `draft`, as decoded, asks for this very order.
  fileprivate func isPlaced(from draft: OrderDraft) -> Bool {
    customerID == draft.customerID && items == draft.items
  }
}

import FaultInjection

/// The moments of OrderService at which everything may end.
extension Failpoint {
  /// An idempotency key is taken for an order that is not written, and nothing is committed.
  static let orderAfterKey = Failpoint("order.after-key")
  /// The row of an order that begins is written, its event is not, and nothing is committed.
  static let orderAfterRow = Failpoint("order.after-row")
  /// An order is committed and synced; its customer has no answer.
  static let orderAfterCommit = Failpoint("order.after-commit")
  /// The row of an order has taken its next step, its event is not written, and nothing is committed.
  static let orderSettling = Failpoint("order.settling")
  /// A cancellation is committed and synced; its customer has no answer.
  static let orderCancelled = Failpoint("order.cancelled")

  /// Every place of this module, for the crash matrix.
  package static let orders: [Failpoint] = [
    orderAfterKey, orderAfterRow, orderAfterCommit, orderSettling, orderCancelled,
  ]
}

import EventSchema
import WireFormat

/// An order as it stands at one version. A value: a step in its life returns the order after it.
public struct Order: Sendable, Hashable {
  public let id: OrderID
  public let customerID: CustomerID
  public let items: [OrderItem]
  /// The sum over all items, exact.
  public let total: Money
  public let status: OrderStatus
  /// 1 when placed, one more with each step.
  public let version: Int64
  /// Why the order was rejected or cancelled; nil otherwise.
  public let reason: String?
  public let createdAt: Timestamp
  /// When the last step was taken; never before an earlier one, whatever the clock does.
  public let updatedAt: Timestamp

  init(
    id: OrderID, customerID: CustomerID, items: [OrderItem], total: Money, status: OrderStatus, version: Int64,
    reason: String?, createdAt: Timestamp, updatedAt: Timestamp
  ) {
    self.id = id
    self.customerID = customerID
    self.items = items
    self.total = total
    self.status = status
    self.version = version
    self.reason = reason
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }

  /// An order begins: `PENDING`, version 1.
  public static func placed(_ draft: OrderDraft, id: OrderID, at now: Timestamp) -> Order {
    Order(
      id: id, customerID: draft.customerID, items: draft.items, total: draft.total, status: .pending, version: 1,
      reason: nil, createdAt: now, updatedAt: now)
  }

  /// Everything ordered is reserved.
  public func confirmed(at now: Timestamp) throws(TransitionRefused) -> Order {
    try moved(to: .confirmed, reason: nil, at: now)
  }

  /// The order cannot be served.
  public func rejected(reason: String, at now: Timestamp) throws(TransitionRefused) -> Order {
    try moved(to: .rejected, reason: reason, at: now)
  }

  /// The customer does not want it any more.
  public func cancelled(reason: String, at now: Timestamp) throws(TransitionRefused) -> Order {
    try moved(to: .cancelled, reason: reason, at: now)
  }

  private func moved(
    to target: OrderStatus, reason: String?, at now: Timestamp
  ) throws(TransitionRefused) -> Order {
    guard target.predecessors.contains(status) else {
      throw TransitionRefused(orderID: id, status: status, target: target)
    }
    return Order(
      id: id, customerID: customerID, items: items, total: total, status: target, version: version + 1,
      reason: reason, createdAt: createdAt, updatedAt: max(now, updatedAt))
  }
}

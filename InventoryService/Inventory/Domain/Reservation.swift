import EventSchema
import FaultInjection
import WireFormat

/// What inventory has answered to an order: all of its items are set aside, or none. One per order.
public struct Reservation: Sendable, Hashable {
  public let id: ReservationID
  public let orderID: OrderID
  /// What the order asked for, whether it got it or not.
  public let items: [ReservedItem]
  public let status: ReservationStatus
  /// Why it was rejected or released; nil while it is reserved.
  public let reason: String?
  public let createdAt: Timestamp
  /// Never before ``createdAt``, whatever the clock does.
  public let updatedAt: Timestamp

  init(
    id: ReservationID, orderID: OrderID, items: [ReservedItem], status: ReservationStatus, reason: String?,
    createdAt: Timestamp, updatedAt: Timestamp
  ) {
    self.id = id
    self.orderID = orderID
    self.items = items
    self.status = status
    self.reason = reason
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }

  /// The answer to an order: reserved where `refusal` is nil.
  public static func answering(
    _ orderID: OrderID, items: [ReservedItem], refusal: Refusal?, id: ReservationID, at now: Timestamp
  ) -> Reservation {
    Reservation(
      id: id, orderID: orderID, items: items, status: refusal == nil ? .reserved : .rejected,
      reason: refusal?.reason.rawValue, createdAt: now, updatedAt: now)
  }

  /// The order was cancelled: what was set aside is given back. Nil where nothing is set aside (any more).
  public func released(reason: String, at now: Timestamp) -> Reservation? {
    guard status == .reserved || Mutation.releaseTwice.isOn else { return nil }
    return Reservation(
      id: id, orderID: orderID, items: items, status: .released, reason: reason, createdAt: createdAt,
      updatedAt: max(now, createdAt))
  }

  /// As it stood when it had come to `status`, which it has passed or is in.
  func when(_ status: ReservationStatus) -> Reservation {
    guard status != self.status else { return self }
    return Reservation(
      id: id, orderID: orderID, items: items, status: status, reason: nil, createdAt: createdAt, updatedAt: createdAt)
  }
}

import EventSchema

/// No order has this id. Trying again does not help.
public struct UnknownOrder: Error, Sendable, Hashable, CustomStringConvertible {
  public let orderID: OrderID

  public var description: String { "no order \(orderID)" }
}

/// The order stands where this step cannot start. Trying again does not help.
public struct TransitionRefused: Error, Sendable, Hashable, CustomStringConvertible {
  public let orderID: OrderID
  /// Where the order stands.
  public let status: OrderStatus
  /// Where it was to go.
  public let target: OrderStatus

  public var description: String {
    "order \(orderID) is \(status.rawValue) and cannot become \(target.rawValue)"
  }
}

/// The idempotency key stands for an order that differs from the one that is asked for. Trying again does not help;
/// another key does.
public struct KeyOfAnotherOrder: Error, Sendable, Hashable, CustomStringConvertible {
  /// What the key stands for.
  public let orderID: OrderID

  public var description: String { "the idempotency key stands for order \(orderID), which differs" }
}

/// Somebody else has changed the order between its reading and its writing. Nothing was written; trying again helps.
public struct OrderChangedMeanwhile: Error, Sendable, Hashable, CustomStringConvertible {
  public let orderID: OrderID

  public var description: String { "order \(orderID) was changed by somebody else meanwhile" }
}

import EventSchema

/// No product has this id. Trying again does not help.
public struct UnknownProduct: Error, Sendable, Hashable, CustomStringConvertible {
  public let productID: ProductID

  public var description: String { "no product \(productID)" }
}

/// No reservation was made for this order, or not yet: it is made when `ORDER_CREATED` arrives.
public struct NoReservation: Error, Sendable, Hashable, CustomStringConvertible {
  public let orderID: OrderID

  public var description: String { "no reservation for order \(orderID)" }
}

/// More is promised to orders than would be left. Trying again helps once orders have been cancelled.
public struct StockBelowReserved: Error, Sendable, Hashable, CustomStringConvertible {
  public let productID: ProductID
  /// What was to be the stock.
  public let onHand: Int64
  public let reserved: Int64

  public var description: String { "\(reserved) of \(productID) are reserved, on_hand cannot become \(onHand)" }
}

/// The delivery would raise the stock above ``Product/onHandRange``.
public struct StockTooLarge: Error, Sendable, Hashable, CustomStringConvertible {
  public let productID: ProductID

  public var description: String { "on_hand of \(productID) cannot exceed \(Product.onHandRange.upperBound)" }
}

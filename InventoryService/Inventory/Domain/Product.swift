import EventSchema

/// A product, how many pieces of it lie in stock, and how many of those are promised to orders.
/// A value: a change returns the product after it.
public struct Product: Sendable, Hashable {
  /// How long a name may be, in characters.
  public static let nameLengthRange = 1...200
  /// How many pieces can lie in stock.
  public static let onHandRange = 0...1_000_000_000_000
  /// How many pieces one delivery can bring.
  public static let restockRange = 1...10_000

  public let id: ProductID
  public let name: String
  /// Pieces in stock. Orders never change it: they reserve.
  public let onHand: Int64
  /// The sum over all reservations that are `RESERVED`.
  public let reserved: Int64

  /// Pieces that an order can still get; never negative.
  public var available: Int64 { onHand - reserved }

  init(id: ProductID, name: String, onHand: Int64, reserved: Int64 = 0) {
    self.id = id
    self.name = name
    self.onHand = onHand
    self.reserved = reserved
  }

  /// The stock was counted: this is what is there.
  public func counted(name: String, onHand: Int64) throws(StockBelowReserved) -> Product {
    guard onHand >= reserved else { throw StockBelowReserved(productID: id, onHand: onHand, reserved: reserved) }
    return Product(id: id, name: name, onHand: onHand, reserved: reserved)
  }

  /// A delivery came in.
  public func restocked(by quantity: Int) throws(StockTooLarge) -> Product {
    let (sum, overflow) = onHand.addingReportingOverflow(Int64(quantity))
    guard !overflow, Self.onHandRange.contains(Int(sum)) else { throw StockTooLarge(productID: id) }
    return Product(id: id, name: name, onHand: sum, reserved: reserved)
  }
}

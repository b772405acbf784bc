import WireFormat

/// One line of an order.
public struct OrderItem: Sendable, Hashable {
  /// What was ordered; no two lines of an order have the same.
  public var productID: ProductID
  /// How many pieces: 1 to 10,000.
  public var quantity: Int
  /// The price of one piece.
  public var unitPrice: Money

  /// How many pieces a line may have.
  public static let quantityRange = 1...10_000
  /// What a piece may cost.
  public static let unitPriceRange = Money.zero...Money(minorUnits: 100_000_000)
  /// How many lines an order may have, each of another product.
  public static let countRange = 1...100

  /// A line as given; bounds are checked where it is read.
  public init(productID: ProductID, quantity: Int, unitPrice: Money) {
    self.productID = productID
    self.quantity = quantity
    self.unitPrice = unitPrice
  }

  /// The sum over all lines; nil when it is out of range, which lines within the bounds never are.
  public static func total(of items: [OrderItem]) -> Money? {
    var total = Money.zero
    for item in items {
      guard let price = item.unitPrice * item.quantity, let sum = total + price else { return nil }
      total = sum
    }
    return total
  }
}

extension OrderItem: JSONEncodable {
  /// Writes product_id, quantity and unit_price.
  public func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("product_id", productID)
      json.member("quantity", quantity)
      json.member("unit_price", unitPrice)
    }
  }

  init(from fields: FieldReader) throws(UnreadableField) {
    productID = try fields.identifier("product_id")
    quantity = try fields.integer("quantity", in: Self.quantityRange)
    unitPrice = try fields.money("unit_price", in: Self.unitPriceRange)
  }
}

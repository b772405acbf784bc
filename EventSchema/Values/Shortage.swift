import WireFormat

/// A product of which an order wanted more pieces than there were.
public struct Shortage: Sendable, Hashable {
  /// What there was too little of.
  public var productID: ProductID
  /// How many pieces the order wanted: 1 to 10,000.
  public var requested: Int
  /// How many could have been had; 0 for a product that nobody knows.
  public var available: Int

  /// A shortage as given; bounds are checked where it is read.
  public init(productID: ProductID, requested: Int, available: Int) {
    self.productID = productID
    self.requested = requested
    self.available = available
  }
}

extension Shortage: JSONEncodable {
  /// Writes product_id, requested and available.
  public func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("product_id", productID)
      json.member("requested", requested)
      json.member("available", available)
    }
  }

  init(from fields: FieldReader) throws(UnreadableField) {
    productID = try fields.identifier("product_id")
    requested = try fields.integer("requested", in: OrderItem.quantityRange)
    available = try fields.integer("available", in: 0...Int.max)
  }
}

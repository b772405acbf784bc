import WireFormat

/// Pieces of one product that are, or were, held for an order.
public struct ReservedItem: Sendable, Hashable {
  /// What is held.
  public var productID: ProductID
  /// How many pieces: 1 to 10,000.
  public var quantity: Int

  /// An item as given; bounds are checked where it is read.
  public init(productID: ProductID, quantity: Int) {
    self.productID = productID
    self.quantity = quantity
  }
}

extension ReservedItem: JSONEncodable {
  /// Writes product_id and quantity.
  public func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("product_id", productID)
      json.member("quantity", quantity)
    }
  }

  init(from fields: FieldReader) throws(UnreadableField) {
    productID = try fields.identifier("product_id")
    quantity = try fields.integer("quantity", in: OrderItem.quantityRange)
  }
}

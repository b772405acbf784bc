import WireFormat

/// Pieces of one product that are, or were, held for an order.
public struct ReservedItem: Sendable, Hashable {
  public var productID: ProductID
  public var quantity: Int

  public init(productID: ProductID, quantity: Int) {
    self.productID = productID
    self.quantity = quantity
  }
}

extension ReservedItem: JSONEncodable {
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

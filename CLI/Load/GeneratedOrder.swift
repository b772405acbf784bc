import EventSchema
import Messaging

extension OrderRequest {
  /// An order of generated load: of each product one to `mostPieces` pieces, at 0.01 to 99.99.
  ///
  /// - Throws: ``Failure`` for a name that is no id.
  static func generated(
    for customer: String, of products: [String], mostPieces: Int, using random: inout SeededRandom
  ) throws(Failure) -> OrderRequest {
    guard let customerID = CustomerID(customer) else { throw Failure("'\(customer.printable)' is no customer id") }
    var items: [ItemArgument] = []
    for product in products {
      guard let productID = ProductID(product) else { throw Failure("'\(product.printable)' is no product id") }
      items.append(
        ItemArgument(
          product: productID, quantity: Int.random(in: 1...mostPieces, using: &random),
          price: Money(minorUnits: Int64.random(in: 1...99_99, using: &random))))
    }
    return OrderRequest(customer: customerID, items: items)
  }
}

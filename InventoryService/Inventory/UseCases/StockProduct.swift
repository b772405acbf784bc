import EventSchema
import MessagingSQLite

/// Says what a product is called and how many pieces of it lie in stock; a product that is new begins with this.
public struct StockProduct: Sendable {
  private let database: SQLiteDatabase
  private let products: ProductStore

  public init(database: SQLiteDatabase, products: ProductStore) {
    self.database = database
    self.products = products
  }

  /// Returns after the synced commit, with whether the product is new.
  ///
  /// - Throws: ``StockBelowReserved``, with nothing written, when more is reserved than would be there.
  public func callAsFunction(
    _ productID: ProductID, name: String, onHand: Int64
  ) async throws -> (product: Product, isNew: Bool) {
    try await database.write { [products] transaction in
      guard let known = try products.find(productID, in: transaction) else {
        let product = Product(id: productID, name: name, onHand: onHand)
        try products.insert(product, in: transaction)
        return (product, true)
      }
      let product = try known.counted(name: name, onHand: onHand)
      try products.update(product, in: transaction)
      return (product, false)
    }
  }
}

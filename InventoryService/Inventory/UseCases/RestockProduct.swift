import EventSchema
import MessagingSQLite

/// Adds a delivery to the stock of a product. Each call adds: who got no answer has to look before repeating it.
public struct RestockProduct: Sendable {
  private let database: SQLiteDatabase
  private let products: ProductStore

  public init(database: SQLiteDatabase, products: ProductStore) {
    self.database = database
    self.products = products
  }

  /// Returns after the synced commit.
  ///
  /// - Throws: ``UnknownProduct``; ``StockTooLarge``. Nothing was written then.
  public func callAsFunction(_ productID: ProductID, by quantity: Int) async throws -> Product {
    try await database.write { [products] transaction in
      let product = try products.product(productID, in: transaction).restocked(by: quantity)
      try products.update(product, in: transaction)
      return product
    }
  }
}

import EventSchema
import MessagingSQLite

/// A product as it stands after the last commit.
public struct GetProduct: Sendable {
  private let database: SQLiteDatabase
  private let products: ProductStore

  public init(database: SQLiteDatabase, products: ProductStore) {
    self.database = database
    self.products = products
  }

  /// - Throws: ``UnknownProduct``
  public func callAsFunction(_ productID: ProductID) async throws -> Product {
    try await database.read { [products] database in try products.product(productID, in: database) }
  }
}

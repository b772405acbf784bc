import EventSchema
import MessagingSQLite

/// A page of the products, by ascending id. Pages neither repeat nor skip a product while others are added.
public struct ListProducts: Sendable {
  private let database: SQLiteDatabase
  private let products: ProductStore

  public init(database: SQLiteDatabase, products: ProductStore) {
    self.database = database
    self.products = products
  }

  /// - Parameter last: ``ProductPage/next`` of the page before; nil for the first.
  public func callAsFunction(after last: ProductID?, limit: Int) async throws -> ProductPage {
    try await database.read { [products] database in
      try products.page(after: last, limit: limit, in: database)
    }
  }
}

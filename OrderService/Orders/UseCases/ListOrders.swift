import MessagingSQLite

/// A page of the orders that match a filter, newest first. Pages neither repeat nor skip an order while others are
/// placed: each goes on below the last order of the one before.
public struct ListOrders: Sendable {
  private let database: SQLiteDatabase
  private let orders: OrderStore

  public init(database: SQLiteDatabase, orders: OrderStore) {
    self.database = database
    self.orders = orders
  }

  /// - Parameter sequence: ``OrderPage/next`` of the page before; nil for the first.
  public func callAsFunction(_ filter: OrderFilter, before sequence: Int64?, limit: Int) async throws -> OrderPage {
    try await database.read { [orders] database in
      try orders.page(of: filter, before: sequence, limit: limit, in: database)
    }
  }
}

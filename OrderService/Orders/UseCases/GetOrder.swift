import EventSchema
import MessagingSQLite

/// An order as it stands after the last commit.
public struct GetOrder: Sendable {
  private let database: SQLiteDatabase
  private let orders: OrderStore

  public init(database: SQLiteDatabase, orders: OrderStore) {
    self.database = database
    self.orders = orders
  }

  /// - Throws: ``UnknownOrder``
  public func callAsFunction(_ orderID: OrderID) async throws -> Order {
    try await database.read { [orders] database in try orders.order(orderID, in: database) }
  }
}

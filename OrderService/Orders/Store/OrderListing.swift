import EventSchema
import GRDB
import MessagingSQLite

/// Which orders a list has.
public struct OrderFilter: Sendable, Hashable {
  public var customerID: CustomerID?
  public var status: OrderStatus?

  public init(customerID: CustomerID? = nil, status: OrderStatus? = nil) {
    self.customerID = customerID
    self.status = status
  }
}

/// A page of a list, newest order first.
public struct OrderPage: Sendable, Hashable {
  public var orders: [Order]
  /// Where the next page begins: only orders placed before this sequence. Nil at the end.
  public var next: Int64?
}

extension OrderStore {
  /// At most `limit` orders placed before `sequence` (nil: the newest), newest first. The cost is that of the page,
  /// whatever the number of orders: every filter is a range of an index.
  public func page(
    of filter: OrderFilter, before sequence: Int64?, limit: Int, in database: Database
  ) throws -> OrderPage {
    let (sql, arguments) = query(for: filter, before: sequence ?? .max, limit: limit + 1)
    let (orders, next) = try database.keysetPage(sql, arguments, limit: limit) { row in
      let read = try OrderRow(row)
      return (read.sequence, read.order)
    }
    return OrderPage(orders: orders, next: next)
  }

  private func query(
    for filter: OrderFilter, before sequence: Int64, limit: Int
  ) -> (sql: String, arguments: StatementArguments) {
    switch (filter.customerID?.rawValue, filter.status?.rawValue) {
    case (nil, nil): (Self.everyOrder, [sequence, limit])
    case (nil, .some(let status)): (Self.ofStatus, [status, sequence, limit])
    case (.some(let customer), _): (Self.ofCustomer(filter.status), [customer, sequence, limit])
    }
  }
}

extension OrderStore {
  /// Every statement that lists, for a look at their plans.
  static let listings = [everyOrder, ofStatus, ofCustomer] + ofCustomerByStatus.values

  private static let everyOrder = """
    SELECT \(OrderRow.columns) FROM orders
    WHERE sequence < ? ORDER BY sequence DESC LIMIT ?
    """

  private static let ofStatus = """
    SELECT \(OrderRow.columns) FROM orders
    WHERE status = ? AND sequence < ? ORDER BY sequence DESC LIMIT ?
    """

  private static func ofCustomer(_ status: OrderStatus?) -> String {
    status.flatMap { ofCustomerByStatus[$0] } ?? ofCustomer
  }

  /// Each status has an index of its customers; ranges of the four, merged as they are read, are a customer's list.
  private static let ofCustomer =
    OrderStatus.allCases.map(rangeOfCustomer).joined(separator: "\nUNION ALL\n") + newestFirst

  private static let ofCustomerByStatus = Dictionary(
    uniqueKeysWithValues: OrderStatus.allCases.map { ($0, rangeOfCustomer(with: $0) + newestFirst) })

  private static func rangeOfCustomer(with status: OrderStatus) -> String {
    """
    SELECT \(OrderRow.columns) FROM orders INDEXED BY orders_\(status.rawValue.lowercased())_by_customer
    WHERE customer_id = ?1 AND status = '\(status.rawValue)' AND sequence < ?2
    """
  }

  private static let newestFirst = "\nORDER BY sequence DESC LIMIT ?3"
}

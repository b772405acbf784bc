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
    let before = sequence ?? .max
    let rows: RowCursor
    switch (filter.customerID?.rawValue, filter.status?.rawValue) {
    case (nil, nil):
      rows = try cursor(Self.everyOrder, [before, limit + 1], in: database)
    case (nil, .some(let status)):
      rows = try cursor(Self.ofStatus, [status, before, limit + 1], in: database)
    case (.some(let customer), .some(let status)):
      rows = try cursor(Self.ofCustomerAndStatus, [customer, status, before, limit + 1], in: database)
    case (.some(let customer), nil):
      rows = try cursor(Self.ofCustomer, [customer, before, limit + 1], in: database)
    }

    var page = OrderPage(orders: [], next: nil)
    var last: Int64?
    while let row = try rows.next() {
      guard page.orders.count < limit else {
        page.next = last
        break
      }
      let read = try OrderRow(row)
      page.orders.append(read.order)
      last = read.sequence
    }
    return page
  }

  private func cursor(
    _ sql: String, _ arguments: StatementArguments, in database: Database
  ) throws -> RowCursor {
    try Row.fetchCursor(try database.cachedStatement(sql: sql), arguments: arguments)
  }
}

extension OrderStore {
  /// Every statement that lists, for a look at their plans.
  static let listings = [everyOrder, ofStatus, ofCustomerAndStatus, ofCustomer]

  private static let everyOrder = """
    SELECT \(OrderRow.columns) FROM orders
    WHERE sequence < ? ORDER BY sequence DESC LIMIT ?
    """

  private static let ofStatus = """
    SELECT \(OrderRow.columns) FROM orders
    WHERE status = ? AND sequence < ? ORDER BY sequence DESC LIMIT ?
    """

  private static let ofCustomerAndStatus = """
    SELECT \(OrderRow.columns) FROM orders
    WHERE customer_id = ? AND status = ? AND sequence < ? ORDER BY sequence DESC LIMIT ?
    """

  /// The index has a customer's orders by status; four ranges of it, merged as they are read, are the customer's list.
  private static let ofCustomer =
    OrderStatus.allCases.map { status in
      """
      SELECT \(OrderRow.columns) FROM orders
      WHERE customer_id = ?1 AND status = '\(status.rawValue)' AND sequence < ?2
      """
    }.joined(separator: "\nUNION ALL\n") + "\nORDER BY sequence DESC LIMIT ?3"
}

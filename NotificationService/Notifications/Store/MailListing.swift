import EventSchema
import GRDB
import MessagingSQLite

/// Which mails a list has.
public struct MailFilter: Sendable, Hashable {
  public var customerID: CustomerID?
  public var orderID: OrderID?

  public init(customerID: CustomerID? = nil, orderID: OrderID? = nil) {
    self.customerID = customerID
    self.orderID = orderID
  }
}

/// A page of a list, newest mail first.
public struct MailPage: Sendable, Hashable {
  public var mails: [Mail]
  /// Where the next page begins: only mails before this sequence. Nil at the end.
  public var next: Int64?
}

extension MailStore {
  /// At most `limit` mails before `sequence` (nil: the newest), newest first. The cost is that of the page, whatever
  /// the number of mails: every filter is a range of an index, or the few mails of one order.
  func page(
    of filter: MailFilter, before sequence: Int64?, limit: Int, in database: Database
  ) throws -> MailPage {
    let rows = try rows(of: filter, before: sequence ?? .max, limit: limit + 1, in: database)
    var page = MailPage(mails: [], next: nil)
    var last: Int64?
    while let row = try rows.next() {
      guard page.mails.count < limit else {
        page.next = last
        break
      }
      let read = try MailRow(row)
      page.mails.append(read.mail)
      last = read.sequence
    }
    return page
  }

  private func rows(
    of filter: MailFilter, before sequence: Int64, limit: Int, in database: Database
  ) throws -> RowCursor {
    func cursor(_ sql: String, _ arguments: StatementArguments) throws -> RowCursor {
      try Row.fetchCursor(try database.cachedStatement(sql: sql), arguments: arguments)
    }
    switch (filter.orderID?.rawValue, filter.customerID?.rawValue) {
    case (nil, nil): return try cursor(Self.every, [sequence, limit])
    case (nil, .some(let customer)): return try cursor(Self.ofCustomer, [customer, sequence, limit])
    case (.some(let order), nil): return try cursor(Self.ofOrder, [order, sequence, limit])
    case (.some(let order), .some(let customer)):
      return try cursor(Self.ofOrderAndCustomer, [order, customer, sequence, limit])
    }
  }
}

extension MailStore {
  static let every = """
    SELECT \(MailRow.columns) FROM emails WHERE sequence < ? ORDER BY sequence DESC LIMIT ?
    """

  static let ofCustomer = """
    SELECT \(MailRow.columns) FROM emails
    WHERE customer_id = ? AND sequence < ? ORDER BY sequence DESC LIMIT ?
    """

  // The unary plus keeps SQLite from walking all mails by sequence instead of the order's few by its own index.
  static let ofOrder = """
    SELECT \(MailRow.columns) FROM emails
    WHERE order_id = ? AND +sequence < ? ORDER BY +sequence DESC LIMIT ?
    """

  static let ofOrderAndCustomer = """
    SELECT \(MailRow.columns) FROM emails
    WHERE order_id = ? AND +customer_id = ? AND +sequence < ? ORDER BY +sequence DESC LIMIT ?
    """
}

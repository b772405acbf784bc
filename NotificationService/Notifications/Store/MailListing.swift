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
    let (sql, arguments) = query(for: filter, before: sequence ?? .max, limit: limit + 1)
    let (mails, next) = try database.keysetPage(sql, arguments, limit: limit) { row in
      let read = try MailRow(row)
      return (read.sequence, read.mail)
    }
    return MailPage(mails: mails, next: next)
  }

  private func query(
    for filter: MailFilter, before sequence: Int64, limit: Int
  ) -> (sql: String, arguments: StatementArguments) {
    switch (filter.orderID?.rawValue, filter.customerID?.rawValue) {
    case (nil, nil): (Self.every, [sequence, limit])
    case (nil, .some(let customer)): (Self.ofCustomer, [customer, sequence, limit])
    case (.some(let order), nil): (Self.ofOrder, [order, sequence, limit])
    case (.some(let order), .some(let customer)): (Self.ofOrderAndCustomer, [order, customer, sequence, limit])
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

import EventSchema
import GRDB
import MessagingSQLite

/// Which reservations a list has.
public struct ReservationFilter: Sendable, Hashable {
  public var orderID: OrderID?
  /// Only reservations with an item of this product.
  public var productID: ProductID?
  public var status: ReservationStatus?

  public init(orderID: OrderID? = nil, productID: ProductID? = nil, status: ReservationStatus? = nil) {
    self.orderID = orderID
    self.productID = productID
    self.status = status
  }

  fileprivate func admits(_ reservation: Reservation) -> Bool {
    (status == nil || status == reservation.status)
      && (productID == nil || reservation.items.contains { $0.productID == productID })
  }
}

/// A page of a list, newest reservation first.
public struct ReservationPage: Sendable, Hashable {
  public var reservations: [Reservation]
  /// Where the next page begins: only reservations before this sequence. Nil at the end.
  public var next: Int64?
}

extension ReservationStore {
  /// At most `limit` reservations before `sequence` (nil: the newest), newest first. The cost is that of the page,
  /// whatever the number of reservations: every filter is a range of an index.
  func page(
    of filter: ReservationFilter, before sequence: Int64?, limit: Int, in database: Database
  ) throws -> ReservationPage {
    let (sql, arguments) = query(for: filter, before: sequence ?? .max, limit: limit + 1)
    let (reservations, next) = try database.keysetPage(sql, arguments, limit: limit) { row in
      let read = try ReservationRow(row)
      return filter.admits(read.reservation) ? (read.sequence, read.reservation) : nil
    }
    return ReservationPage(reservations: reservations, next: next)
  }

  private func query(
    for filter: ReservationFilter, before sequence: Int64, limit: Int
  ) -> (sql: String, arguments: StatementArguments) {
    // An order has one reservation at most: whatever else is asked of it, `admits` decides.
    if let orderID = filter.orderID { return (Self.ofOrder, [orderID.rawValue, sequence]) }
    switch (filter.productID?.rawValue, filter.status?.rawValue) {
    case (nil, nil): return (Self.every, [sequence, limit])
    case (nil, .some(let status)): return (Self.ofStatus, [status, sequence, limit])
    case (.some(let product), nil): return (Self.ofProduct, [product, sequence, limit])
    case (.some(let product), .some(let status)):
      return (Self.ofProductAndStatus, [product, status, sequence, limit])
    }
  }
}

extension ReservationStore {
  static let ofOrder = "SELECT \(ReservationRow.columns) FROM reservations WHERE order_id = ? AND sequence < ?"

  static let every = """
    SELECT \(ReservationRow.columns) FROM reservations WHERE sequence < ? ORDER BY sequence DESC LIMIT ?
    """

  static let ofStatus = """
    SELECT \(ReservationRow.columns) FROM reservations
    WHERE status = ? AND sequence < ? ORDER BY sequence DESC LIMIT ?
    """

  static let ofProductAndStatus = """
    SELECT \(ReservationRow.columns) FROM reservations WHERE sequence IN (
      SELECT sequence FROM reservation_items
      WHERE product_id = ? AND status = ? AND sequence < ? ORDER BY sequence DESC LIMIT ?
    ) ORDER BY sequence DESC
    """

  /// Three ranges of the key, one a status, merged as they are read.
  static let ofProduct =
    "SELECT \(ReservationRow.columns) FROM reservations WHERE sequence IN (\n"
    + ReservationStatus.allCases.map { status in
      """
      SELECT sequence FROM reservation_items
      WHERE product_id = ?1 AND status = '\(status.rawValue)' AND sequence < ?2
      """
    }.joined(separator: "\nUNION ALL\n")
    + "\nORDER BY sequence DESC LIMIT ?3\n) ORDER BY sequence DESC"
}

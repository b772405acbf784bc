import EventSchema
import Hummingbird
import ServiceDefaults

/// `?wait=&until=` of `GET /orders/{order_id}`.
struct Wait {
  private enum Until: String, CaseIterable {
    case settled
  }

  /// Zero when the client does not wait.
  let duration: Duration

  init(_ request: Request) throws {
    var query = request.query()
    let seconds = query.integer("wait", in: 0...60) ?? 0
    _ = query.choice("until", of: Until.self)
    try query.check()
    self.duration = .seconds(seconds)
  }
}

/// The query of `GET /orders`.
struct OrderListQuery {
  private static let list = "orders"

  let filter: OrderFilter
  let before: Int64?
  let limit: Int

  init(_ request: Request) throws {
    var query = request.query()
    self.limit = query.limit()
    let cursor = query.cursor(of: Self.list)
    self.filter = OrderFilter(
      customerID: query.identifier("customer_id"), status: query.choice("status", of: OrderStatus.self))
    self.before = cursor?.position
    if cursor != nil, before == nil {
      query.refuse("cursor", "is not a cursor of this list")
    }
    try query.check()
  }

  /// Where the page goes on that has only orders below `sequence`.
  static func cursor(before sequence: Int64) -> PageCursor {
    PageCursor(list: list, position: sequence)
  }
}

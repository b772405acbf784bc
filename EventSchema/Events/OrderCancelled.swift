import WireFormat

/// The order was called off; what is or will be reserved for it is to be released.
public struct OrderCancelled: Sendable, Hashable {
  /// Who placed the order.
  public var customerID: CustomerID
  /// 1 to 100 lines, no product twice.
  public var items: [OrderItem]
  /// The sum over the items.
  public var total: Money
  /// Why, in the words of whoever cancelled; up to 500 characters, empty where none were given.
  public var reason: String

  /// Facts as given; bounds are checked where they are read.
  public init(customerID: CustomerID, items: [OrderItem], total: Money, reason: String) {
    self.customerID = customerID
    self.items = items
    self.total = total
    self.reason = reason
  }
}

extension OrderCancelled: EventFacts {
  func writeMembers(to json: inout JSONWriter) {
    json.member("customer_id", customerID)
    json.member("items", items)
    json.member("total", total)
    json.member("reason", reason)
  }

  init(from fields: FieldReader) throws(UnreadableField) {
    customerID = try fields.identifier("customer_id")
    items = try fields.orderItems()
    total = try fields.total()
    reason = try fields.reason()
  }
}

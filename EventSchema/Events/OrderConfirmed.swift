import WireFormat

/// The whole order is reserved for the customer.
public struct OrderConfirmed: Sendable, Hashable {
  /// Who placed the order.
  public var customerID: CustomerID
  /// 1 to 100 lines, no product twice.
  public var items: [OrderItem]
  /// The sum over the items.
  public var total: Money

  /// Facts as given; bounds are checked where they are read.
  public init(customerID: CustomerID, items: [OrderItem], total: Money) {
    self.customerID = customerID
    self.items = items
    self.total = total
  }
}

extension OrderConfirmed: EventFacts {
  func writeMembers(to json: inout JSONWriter) {
    json.member("customer_id", customerID)
    json.member("items", items)
    json.member("total", total)
  }

  init(from fields: FieldReader) throws(UnreadableField) {
    customerID = try fields.identifier("customer_id")
    items = try fields.orderItems()
    total = try fields.total()
  }
}

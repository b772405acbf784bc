import WireFormat

/// What a mail tells a customer of an order. There is one mail per order and kind, whatever is delivered twice.
public enum MailKind: String, Sendable, Hashable, CaseIterable, JSONEncodable {
  /// We have received your order.
  case orderCreated = "ORDER_CREATED"
  case orderConfirmed = "ORDER_CONFIRMED"
  case orderRejected = "ORDER_REJECTED"
  case orderCancelled = "ORDER_CANCELLED"

  public func write(to json: inout JSONWriter) {
    json.value(rawValue)
  }
}

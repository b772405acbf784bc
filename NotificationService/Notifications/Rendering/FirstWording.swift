import EventSchema

/// The sentences of version 1, for each kind of mail.
struct FirstWording {
  let subject: String
  let heading: String
  let opening: String
  /// Why, where there is a reason. One line; may hold what a customer wrote.
  let explanation: String?
  let closing: String

  init(_ mail: Mail) {
    let order = mail.orderID.description
    switch mail.kind {
    case .orderCreated:
      subject = "We have received your order \(order)"
      heading = "We have received your order"
      opening = "thank you for your order. We are checking our stock now."
      explanation = nil
      closing = "You will hear from us again as soon as we know that we have everything."
    case .orderConfirmed:
      subject = "Your order \(order) is confirmed"
      heading = "Your order is confirmed"
      opening = "good news: everything you ordered is reserved for you."
      explanation = nil
      closing = "Thank you for shopping with us."
    case .orderRejected:
      subject = "We cannot fulfil your order \(order)"
      heading = "We cannot fulfil your order"
      opening = "we are sorry: we cannot fulfil your order. Nothing is reserved."
      explanation = mail.reason.flatMap(rejection)
      closing = "You are welcome to place a new order at any time."
    case .orderCancelled:
      subject = "Your order \(order) is cancelled"
      heading = "Your order is cancelled"
      opening = "your order is cancelled. Nothing is reserved for it any more."
      explanation = mail.reason.flatMap { $0.isEmpty ? nil : "Reason: \(onOneLine($0))" }
      closing = "You are welcome to place a new order at any time."
    }
  }
}

private func rejection(_ reason: String) -> String? {
  switch InventoryRejectionReason(rawValue: reason) {
  case .outOfStock: "We do not have enough of it in stock."
  case .unknownProduct: "The order names a product that we do not have."
  case nil: reason.isEmpty ? nil : "Reason: \(onOneLine(reason))"
  }
}

import EventSchema

/// What a customer wants, with its total: an order that has been checked as a whole and not been placed yet.
/// Each field within its own bounds is the caller's promise, held by the types and the HTTP door.
public struct OrderDraft: Sendable, Hashable {
  public let customerID: CustomerID
  public let items: [OrderItem]
  public let total: Money

  /// - Parameter statedTotal: what the customer takes the sum to be; nil when not stated.
  /// - Throws: ``InvalidDraft`` with every rule that is broken.
  public init(customerID: CustomerID, items: [OrderItem], statedTotal: Money? = nil) throws(InvalidDraft) {
    var violations: [DraftViolation] = []
    if !OrderItem.countRange.contains(items.count) {
      violations.append(.itemCount(items.count))
    }
    violations += items.map { $0.productID }.repetitions.map { .repeatedProduct(index: $0) }

    let sum = OrderItem.total(of: items)
    if sum == nil {
      violations.append(.totalTooLarge)
    } else if let statedTotal, let sum, statedTotal != sum {
      violations.append(.totalDiffers(stated: statedTotal, sum: sum))
    }
    guard violations.isEmpty, let sum else { throw InvalidDraft(violations: violations) }

    self.customerID = customerID
    self.items = items
    self.total = sum
  }
}

/// A draft that breaks a rule. Trying again without changing it does not help.
public struct InvalidDraft: Error, Sendable, Hashable {
  public let violations: [DraftViolation]
}

/// A rule over several fields that a draft breaks.
public enum DraftViolation: Sendable, Hashable {
  case itemCount(Int)
  /// The item at `index` names a product that an earlier item has named.
  case repeatedProduct(index: Int)
  case totalDiffers(stated: Money, sum: Money)
  case totalTooLarge
}

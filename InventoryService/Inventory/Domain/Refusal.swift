import EventSchema

/// Why an order gets nothing: every item that stands in the way.
public struct Refusal: Sendable, Hashable {
  public let reason: InventoryRejectionReason
  public let shortages: [Shortage]

  /// - Parameter shortages: what is missing, with whether its product is known at all; not empty.
  ///   One unknown product makes the whole refusal `UNKNOWN_PRODUCT`: waiting for a delivery would not help that order.
  init?(_ shortages: [(shortage: Shortage, isKnown: Bool)]) {
    guard !shortages.isEmpty else { return nil }
    self.reason = shortages.allSatisfy(\.isKnown) ? .outOfStock : .unknownProduct
    self.shortages = shortages.map(\.shortage)
  }
}

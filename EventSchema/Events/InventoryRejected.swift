import WireFormat

/// Nothing was reserved for an order, because not all of it could be had.
public struct InventoryRejected: Sendable, Hashable {
  /// Why nothing was reserved.
  public var reason: InventoryRejectionReason
  /// What was short, 0 to 100 products.
  public var shortages: [Shortage]

  /// How many shortages there may be.
  public static let shortageCountRange = 0...OrderItem.countRange.upperBound

  /// Facts as given; bounds are checked where they are read.
  public init(reason: InventoryRejectionReason, shortages: [Shortage]) {
    self.reason = reason
    self.shortages = shortages
  }
}

extension InventoryRejected: EventFacts {
  func writeMembers(to json: inout JSONWriter) {
    json.member("reason", reason)
    json.member("shortages", shortages)
  }

  init(from fields: FieldReader) throws(UnreadableField) {
    reason = try fields.rejectionReason()
    shortages = try fields.list("shortages", count: Self.shortageCountRange) {
      (fields) throws(UnreadableField) in try Shortage(from: fields)
    }
  }
}

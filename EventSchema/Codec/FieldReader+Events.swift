import WireFormat

/// Fields that several events have.
extension FieldReader {
  func checkSchemaVersion(of type: EventType) throws(UnreadableField) {
    let version = try integer("schema_version", in: 0...Int64.max)
    guard version == type.schemaVersion else {
      throw failure("schema_version", "\(version) is not known, only \(type.schemaVersion)")
    }
  }

  func orderVersion() throws(UnreadableField) -> Int64 {
    try integer("order_version", in: EventEnvelope.orderVersionRange)
  }

  func orderItems() throws(UnreadableField) -> [OrderItem] {
    let items = try list("items", count: OrderItem.countRange) {
      (fields) throws(UnreadableField) in try OrderItem(from: fields)
    }
    try checkNoneTwice(items.map { $0.productID })
    return items
  }

  func reservedItems() throws(UnreadableField) -> [ReservedItem] {
    let items = try list("items", count: OrderItem.countRange) {
      (fields) throws(UnreadableField) in try ReservedItem(from: fields)
    }
    try checkNoneTwice(items.map { $0.productID })
    return items
  }

  func total() throws(UnreadableField) -> Money {
    try money("total", in: Money.zero...Money(minorUnits: .max))
  }

  /// Counted as a reader counts: what one letter with its accents is made of does not matter.
  func reason() throws(UnreadableField) -> String {
    let reason = try text("reason")
    guard reason.utf8.count <= EventBounds.longestReason || reason.count <= EventBounds.longestReason else {
      throw failure("reason", "must be up to \(EventBounds.longestReason) characters")
    }
    return reason
  }

  func rejectionReason() throws(UnreadableField) -> InventoryRejectionReason {
    guard let reason = InventoryRejectionReason(rawValue: try text("reason")) else {
      let known = InventoryRejectionReason.allCases.map(\.rawValue).joined(separator: " or ")
      throw failure("reason", "must be \(known)")
    }
    return reason
  }

  private func checkNoneTwice(_ products: [ProductID]) throws(UnreadableField) {
    guard let index = products.repetitions.first else { return }
    throw failure("items", at: index, member: "product_id", "is there twice")
  }
}

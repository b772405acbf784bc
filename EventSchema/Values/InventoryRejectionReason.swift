import WireFormat

/// Why the inventory reserved nothing for an order.
public enum InventoryRejectionReason: String, Sendable, Hashable, CaseIterable {
  /// At least one product had fewer pieces available than wanted.
  case outOfStock = "OUT_OF_STOCK"
  /// At least one product is not in the inventory at all.
  case unknownProduct = "UNKNOWN_PRODUCT"
}

extension InventoryRejectionReason: JSONEncodable {
  /// Writes the name on the wire.
  public func write(to json: inout JSONWriter) { json.string(rawValue) }
}

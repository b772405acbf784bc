import EventSchema
import WireFormat

/// An order's items in one column of a store: `[["keyboard",2,4990],["mouse",1,0]]`, prices in minor units.
public enum StoredOrderItems {
  /// As text; the order of the items is kept.
  public static func encode(_ items: [OrderItem]) -> String {
    var json = JSONWriter(reservingCapacity: 8 + items.count * 32)
    json.array { json in
      for item in items {
        json.array { json in
          json.value(item.productID)
          json.value(item.quantity)
          json.value(item.unitPrice.minorUnits)
        }
      }
    }
    return String(decoding: json.bytes, as: UTF8.self)
  }

  /// Nil when `text` is not what ``encode(_:)`` makes.
  public static func decode(_ text: String) -> [OrderItem]? {
    guard let rows = try? JSONElement(parsing: Array(text.utf8)).array else { return nil }
    var items: [OrderItem] = []
    items.reserveCapacity(rows.count)
    for row in rows {
      guard var fields = row.array, fields.count == 3,
        let productID = fields.next()?.string.flatMap({ ProductID($0) }),
        let quantity = fields.next()?.int64,
        let unitPrice = fields.next()?.int64
      else { return nil }
      items.append(
        OrderItem(productID: productID, quantity: Int(quantity), unitPrice: Money(minorUnits: unitPrice)))
    }
    return items
  }
}

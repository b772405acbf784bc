import EventSchema
import WireFormat

/// Items as the column `items` has them: `[["keyboard",2],["mouse",1]]`.
enum StoredItems {
  static func encode(_ items: [ReservedItem]) -> String {
    var json = JSONWriter(reservingCapacity: 8 + items.count * 24)
    json.array { json in
      for item in items {
        json.array { json in
          json.value(item.productID)
          json.value(item.quantity)
        }
      }
    }
    return String(decoding: json.bytes, as: UTF8.self)
  }

  /// Nil when `text` is not what ``encode(_:)`` makes.
  static func decode(_ text: String) -> [ReservedItem]? {
    guard let rows = try? JSONElement(parsing: Array(text.utf8)).array else { return nil }
    var items: [ReservedItem] = []
    items.reserveCapacity(rows.count)
    for row in rows {
      guard var fields = row.array, fields.count == 2,
        let productID = fields.next()?.string.flatMap({ ProductID($0) }),
        let quantity = fields.next()?.int64
      else { return nil }
      items.append(ReservedItem(productID: productID, quantity: Int(quantity)))
    }
    return items
  }
}

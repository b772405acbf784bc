import EventSchema
import MessagingSQLite

/// A page of the products, by ascending id.
public struct ProductPage: Sendable, Hashable {
  public var products: [Product]
  /// Where the next page begins: only products after this one. Nil at the end.
  public var next: ProductID?
}

extension ProductStore {
  /// At most `limit` products after `last` (nil: from the first). The cost is that of the page.
  func page(after last: ProductID?, limit: Int, in reader: some SQLiteReader) throws -> ProductPage {
    var products = try reader.all(Self.everyProduct, last?.rawValue ?? "", limit + 1) { try Product($0) }
    guard products.count > limit else { return ProductPage(products: products, next: nil) }
    products.removeLast()
    return ProductPage(products: products, next: products.last?.id)
  }

  static let everyProduct = PreparedSQL(
    "SELECT \(Product.columns) FROM products WHERE product_id > ? ORDER BY product_id LIMIT ?")
}

extension Product {
  static let columns = "product_id, name, on_hand, reserved"

  /// Reads a row with the columns in the order of ``columns``.
  init(_ row: SQLiteRow) throws(DamagedRow) {
    guard let id = ProductID(row.text(0)) else { throw DamagedRow(table: "products", key: row.text(0)) }
    self.init(id: id, name: row.text(1), onHand: row.integer(2), reserved: row.integer(3))
  }
}

/// A row that this service cannot have written: the file was changed by somebody else. Trying again does not help.
struct DamagedRow: Error, Sendable, CustomStringConvertible {
  let table: String
  let key: String

  var description: String { "row \(key) of \(table) cannot be read" }
}

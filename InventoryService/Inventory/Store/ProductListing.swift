import EventSchema
import GRDB
import MessagingSQLite

/// A page of the products, by ascending id.
public struct ProductPage: Sendable, Hashable {
  public var products: [Product]
  /// Where the next page begins: only products after this one. Nil at the end.
  public var next: ProductID?
}

extension ProductStore {
  /// At most `limit` products after `last` (nil: from the first). The cost is that of the page.
  func page(after last: ProductID?, limit: Int, in database: Database) throws -> ProductPage {
    let rows = try Row.fetchCursor(
      try database.cachedStatement(sql: Self.everyProduct), arguments: [last?.rawValue ?? "", limit + 1])
    var products: [Product] = []
    while let row = try rows.next() {
      guard products.count < limit else { return ProductPage(products: products, next: products.last?.id) }
      products.append(try Product(row: row))
    }
    return ProductPage(products: products, next: nil)
  }

  static let everyProduct =
    "SELECT \(Product.columns) FROM products WHERE product_id > ? ORDER BY product_id LIMIT ?"
}

extension Product {
  static let columns = "product_id, name, on_hand, reserved"

  /// Reads a row with the columns in the order of ``columns``.
  init(row: Row) throws(DamagedRow) {
    let id: String = row[0]
    guard let productID = ProductID(id) else { throw DamagedRow(table: "products", key: id) }
    self.init(id: productID, name: row[1], onHand: row[2], reserved: row[3])
  }
}

/// A row that this service cannot have written: the file was changed by somebody else. Trying again does not help.
struct DamagedRow: Error, Sendable, CustomStringConvertible {
  let table: String
  let key: String

  var description: String { "row \(key) of \(table) cannot be read" }
}

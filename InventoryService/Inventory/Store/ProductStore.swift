import EventSchema
import FaultInjection
import GRDB
import MessagingSQLite

/// Products and their stock. Writes belong to the caller's transaction.
public struct ProductStore: Sendable {
  public init() {}

  /// The product as `database` sees it; nil where there is none.
  func find(_ id: ProductID, in database: Database) throws -> Product? {
    try database.firstRow(Self.selection, [id.rawValue], Product.init(row:))
  }

  /// - Throws: ``UnknownProduct``
  func product(_ id: ProductID, in database: Database) throws -> Product {
    guard let product = try find(id, in: database) else { throw UnknownProduct(productID: id) }
    return product
  }

  func insert(_ product: Product, in transaction: SQLiteTransaction) throws {
    try transaction.database.cachedStatement(sql: Self.insertion)
      .execute(arguments: [product.id.rawValue, product.name, product.onHand])
  }

  /// Writes name and stock. What is reserved is not touched: that is ``setAside(_:in:)`` and ``giveBack(_:in:)``.
  func update(_ product: Product, in transaction: SQLiteTransaction) throws {
    try transaction.database.cachedStatement(sql: Self.update)
      .execute(arguments: [product.name, product.onHand, product.id.rawValue])
  }

  /// Sets all of `items` aside, or none.
  ///
  /// - Parameter items: no product twice.
  /// - Returns: nil when all are set aside; else everything that stands in the way, with the stock as it was.
  func setAside(_ items: [ReservedItem], in transaction: SQLiteTransaction) throws -> Refusal? {
    let database = transaction.database
    let setAside = try database.cachedStatement(sql: Self.setAside)
    var taken: [ReservedItem] = []
    var missing: [(shortage: Shortage, isKnown: Bool)] = []
    for item in items {
      try setAside.execute(arguments: [item.quantity, item.productID.rawValue, item.quantity])
      guard database.changesCount == 0 else {
        taken.append(item)
        try Failpoint.inventoryReserving.hit(item.productID.rawValue)
        continue
      }
      let known = try find(item.productID, in: database)
      let shortage = Shortage(
        productID: item.productID, requested: item.quantity, available: Int(known?.available ?? 0))
      missing.append((shortage, known != nil))
    }

    guard let refusal = Refusal(missing) else { return nil }
    if !Mutation.reserveInPart.isOn { try giveBack(taken, in: transaction) }
    return refusal
  }

  /// Gives back what ``setAside(_:in:)`` took.
  func giveBack(_ items: [ReservedItem], in transaction: SQLiteTransaction) throws {
    let giveBack = try transaction.database.cachedStatement(sql: Self.giveBack)
    for item in items {
      try giveBack.execute(arguments: [item.quantity, item.productID.rawValue])
    }
  }
}

extension ProductStore {
  private static let selection = "SELECT \(Product.columns) FROM products WHERE product_id = ?"
  private static let insertion = "INSERT INTO products (product_id, name, on_hand) VALUES (?, ?, ?)"
  private static let update = "UPDATE products SET name = ?, on_hand = ? WHERE product_id = ?"
  private static let setAside =
    "UPDATE products SET reserved = reserved + ? WHERE product_id = ? AND on_hand - reserved >= ?"
  private static let giveBack = "UPDATE products SET reserved = reserved - ? WHERE product_id = ?"
}

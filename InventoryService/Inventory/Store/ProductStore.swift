import EventSchema
import FaultInjection
import MessagingSQLite

/// Products and their stock. Writes belong to the caller's transaction.
public struct ProductStore: Sendable {
  public init() {}

  /// The product as `reader` sees it; nil where there is none.
  func find(_ id: ProductID, in reader: some SQLiteReader) throws -> Product? {
    try reader.first(Self.selection, id.rawValue) { try Product($0) }
  }

  /// - Throws: ``UnknownProduct``
  func product(_ id: ProductID, in reader: some SQLiteReader) throws -> Product {
    guard let product = try find(id, in: reader) else { throw UnknownProduct(productID: id) }
    return product
  }

  func insert(_ product: Product, in transaction: SQLiteTransaction) throws {
    try transaction.execute(Self.insertion, product.id.rawValue, product.name, product.onHand)
  }

  /// Writes name and stock. What is reserved is not touched: that is ``setAside(_:in:)`` and ``giveBack(_:in:)``.
  func update(_ product: Product, in transaction: SQLiteTransaction) throws {
    try transaction.execute(Self.update, product.name, product.onHand, product.id.rawValue)
  }

  /// Sets all of `items` aside, or none.
  ///
  /// - Parameter items: no product twice.
  /// - Returns: nil when all are set aside; else everything that stands in the way, with the stock as it was.
  func setAside(_ items: [ReservedItem], in transaction: SQLiteTransaction) throws -> Refusal? {
    var taken: [ReservedItem] = []
    var missing: [(shortage: Shortage, isKnown: Bool)] = []
    for item in items {
      guard try transaction.execute(Self.setAside, item.quantity, item.productID.rawValue) == 0 else {
        taken.append(item)
        try Failpoint.inventoryReserving.hit(item.productID.rawValue)
        continue
      }
      let known = try find(item.productID, in: transaction)
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
    for item in items {
      try transaction.execute(Self.giveBack, item.quantity, item.productID.rawValue)
    }
  }
}

extension ProductStore {
  private static let selection = PreparedSQL("SELECT \(Product.columns) FROM products WHERE product_id = ?")
  private static let insertion = PreparedSQL("INSERT INTO products (product_id, name, on_hand) VALUES (?, ?, ?)")
  private static let update = PreparedSQL("UPDATE products SET name = ?, on_hand = ? WHERE product_id = ?")
  private static let setAside = PreparedSQL(
    "UPDATE products SET reserved = reserved + ?1 WHERE product_id = ?2 AND on_hand - reserved >= ?1")
  private static let giveBack = PreparedSQL("UPDATE products SET reserved = reserved - ? WHERE product_id = ?")
}

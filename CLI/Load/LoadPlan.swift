import Messaging
import WireFormat

/// What a load consists of.
struct LoadPlan: Sendable, Hashable {
  /// When the next order is sent.
  enum Pace: Sendable, Hashable {
    /// As soon as a connection has its answer.
    case closedLoop
    /// At fixed moments, so many a second, whether or not earlier orders have been answered.
    case openLoop(ordersPerSecond: Double)
  }

  var orders: Int
  var pace: Pace
  /// Connections, and so requests under way at once.
  var concurrency: Int
  var customers: Int
  var products: Int

  /// When the order with this number is due, after the start; nil: as soon as there is a connection.
  func dueTime(of number: Int) -> Duration? {
    guard case .openLoop(let rate) = pace else { return nil }
    return .seconds(Double(number) / rate)
  }

  static func productName(_ number: Int) -> String { "load-product-\(number + 1)" }

  /// The most pieces of one product that an order asks for.
  static let largestQuantity = 3

  /// The order with this number: always the same one. One to three products, of each one to three pieces.
  func order(_ number: Int) throws(Failure) -> OrderRequest {
    var random = SeededRandom(seed: UInt64(number) &+ 0x6F72_6465_72)
    let first = Int.random(in: 0..<products, using: &random)
    let names = (0..<min(products, Int.random(in: 1...3, using: &random))).map {
      Self.productName((first + $0) % products)
    }
    return try .generated(
      for: "load-customer-\(Int.random(in: 1...customers, using: &random))", of: names,
      mostPieces: Self.largestQuantity, using: &random)
  }

  /// Sees to it that there is enough of every product: makes those that are missing, restocks where it is needed.
  ///
  /// - Returns: how many were missing.
  func prepareStock(in inventory: ServiceClient) async throws -> Int {
    var missing = 0
    for product in (0..<products).map(Self.productName) {
      let needed = Int64(orders) * Int64(Self.largestQuantity)
      let known = try await inventory.find("/products/\(product)")
      if known == nil { missing += 1 }
      let short = needed - (known?["available"]?.number?.int64 ?? 0)
      guard short > 0 else { continue }
      let onHand = (known?["on_hand"]?.number?.int64 ?? 0) + short
      try await StockedProduct(id: product, name: product, onHand: onHand).put(into: inventory)
    }
    return missing
  }
}

import EventSchema
import TestSupport
import Testing
import WireFormat

@testable import Inventory

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Random runs; a new seed each time, printed. `INVENTORY_SEED` runs one again.
@Suite struct InventorySeededTests {
  @Test func twoOrdersNeverGetTheSamePiece() async throws {
    let seed = newSeed()
    let fixture = try InventoryFixture()
    for product in 0..<5 { try await fixture.stock("product-\(product)", 40) }

    try await withThrowingTaskGroup(of: Void.self) { group in
      for customer in 0..<8 {
        group.addTask {
          var random = SeededGenerator(seed: seed &+ UInt64(customer))
          for number in 0..<60 {
            let products = (0..<5).shuffled(using: &random).prefix(Int.random(in: 1...4, using: &random))
            let order = try OrderScript(
              "order-\(customer)-\(number)", products.map { ("product-\($0)", Int.random(in: 1...6, using: &random)) })
            try await fixture.deliver(order.created())
            if Int.random(in: 0..<3, using: &random) == 0 { try await fixture.deliver(order.cancelled()) }
            if Int.random(in: 0..<8, using: &random) == 0 { try await fixture.deliver(order.cancelled()) }
          }
        }
        group.addTask {
          var random = SeededGenerator(seed: seed &+ 1_000 &+ UInt64(customer))
          for _ in 0..<20 {
            // Refused with 409 as often as not; what counts is that it never takes what is promised.
            let body = #"{"name":"P","on_hand":\#(Int.random(in: 0...60, using: &random))}"#
            let answer = try await fixture.http.put("/products/product-\(Int.random(in: 0..<5, using: &random))", body)
            #expect([200, 409].contains(answer.status))
            #expect(try await fixture.productsOutOfBalance().isEmpty)
          }
        }
      }
      try await group.waitForAll()
    }

    #expect(try await fixture.productsOutOfBalance().isEmpty)
    let reservations = try await fixture.http.all("/reservations", "reservations", limit: 100)
    #expect(reservations.count == 8 * 60)
  }

  /// The service against a few lines of arithmetic.
  @Test func everyAnswerIsTheOneThatASimpleModelGives() async throws {
    var random = SeededGenerator(seed: newSeed())
    let fixture = try InventoryFixture()
    var model = StockModel()
    var open: [OrderScript] = []

    for step in 0..<600 {
      let product = "product-\(Int.random(in: 0..<6, using: &random))"
      switch Int.random(in: 0..<10, using: &random) {
      case 0:
        let onHand = Int.random(in: 0...30, using: &random)
        let answer = try await fixture.http.put("/products/\(product)", #"{"name":"P","on_hand":\#(onHand)}"#)
        #expect((answer.status == 409) != model.stock(product, onHand))
      case 1:
        let quantity = Int.random(in: 1...10, using: &random)
        let answer = try await fixture.http.post("/products/\(product)/restock", #"{"quantity":\#(quantity)}"#)
        #expect((answer.status == 200) == model.restock(product, quantity))
      case 2...6:
        let products = (0..<6).shuffled(using: &random).prefix(Int.random(in: 1...4, using: &random))
        let items = products.map { ("product-\($0)", Int.random(in: 1...8, using: &random)) }
        let order = try OrderScript("order-\(step)", items)
        try await fixture.deliver(order.created())
        #expect(try await fixture.reservation("order-\(step)")?.status == model.reserve("order-\(step)", items))
        open.append(order)
      default:
        guard let order = open.randomElement(using: &random) else { continue }
        try await fixture.deliver(order.cancelled())
        model.release(order.orderID.rawValue)
      }
    }

    #expect(try await fixture.productsOutOfBalance().isEmpty)
    for (product, stock) in model.products {
      let stored = try await fixture.product(product)
      #expect((Int(stored.onHand), Int(stored.reserved)) == (stock.onHand, stock.reserved))
    }
  }

  private func newSeed(_ name: String = #function) -> UInt64 {
    let given = getenv("INVENTORY_SEED").flatMap { UInt64(String(cString: $0)) }
    let seed = given ?? UInt64.random(in: 0...UInt64.max)
    print("\(name): INVENTORY_SEED=\(seed)")
    return seed
  }
}

private struct StockModel {
  var products: [String: (onHand: Int, reserved: Int)] = [:]
  private var held: [String: [(String, Int)]] = [:]

  mutating func stock(_ product: String, _ onHand: Int) -> Bool {
    let reserved = products[product]?.reserved ?? 0
    guard onHand >= reserved else { return false }
    products[product] = (onHand, reserved)
    return true
  }

  mutating func restock(_ product: String, _ quantity: Int) -> Bool {
    guard let known = products[product] else { return false }
    products[product] = (known.onHand + quantity, known.reserved)
    return true
  }

  mutating func reserve(_ order: String, _ items: [(String, Int)]) -> ReservationStatus {
    let isServed = items.allSatisfy { product, quantity in
      products[product].map { $0.onHand - $0.reserved >= quantity } ?? false
    }
    guard isServed else { return .rejected }
    for (product, quantity) in items { products[product]?.reserved += quantity }
    held[order] = items
    return .reserved
  }

  mutating func release(_ order: String) {
    for (product, quantity) in held.removeValue(forKey: order) ?? [] { products[product]?.reserved -= quantity }
  }
}

import AsyncHTTPClient
import Messaging
import Synchronization
import WireFormat

/// Places and cancels orders while everything breaks, and keeps the ledger.
struct ChaosLoad: Sendable {
  static let products = 8
  /// Requests under way at once.
  static let connections = 12
  /// Half of the products run out in a longer run, so that there are rejections too.
  static let plenty: Int64 = 1_000_000
  static let few: Int64 = 600
  /// A request without an answer for this long is asked again.
  static let patience = Duration.seconds(12)
  static let triesPerOrder = 4

  /// Each instance of OrderService.
  let orders: [ServiceClient]
  let seed: UInt64
  /// Orders a second, all connections together.
  let rate: Double
  let ledger: ChaosLedger

  static func productName(_ number: Int) -> String { "chaos-product-\(number + 1)" }

  static var stock: [StockedProduct] {
    (0..<products).map { number in
      StockedProduct(
        id: productName(number), name: productName(number), onHand: number.isMultiple(of: 2) ? plenty : few)
    }
  }

  /// Returns when the time is over and every request under way has its outcome.
  func run(until end: ContinuousClock.Instant) async throws {
    try await HTTPClient.withHTTPClient(configuration: ServiceClient.http(connections: Self.connections)) { http in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for connection in 0..<Self.connections {
          group.addTask { try await work(connection, until: end, over: orders.map { $0.over(http) }) }
        }
        try await group.waitForAll()
      }
    }
  }

  private func work(
    _ connection: Int, until end: ContinuousClock.Instant, over orders: [ServiceClient]
  ) async throws {
    var random = SeededRandom(seed: seed &+ UInt64(connection + 1) &* 0x9E37_79B9)
    var recent: [String] = []
    var number = 0
    while .now < end {
      number += 1
      let customer = "chaos-\(connection)-\(number)"
      let body = try request(customer, using: &random)
      if let id = try await place(body, of: customer, over: orders, until: end, using: &random) {
        recent = recent.suffix(19) + [id]
      }
      if Int.random(in: 0..<6, using: &random) == 0, let victim = recent.randomElement(using: &random) {
        try await cancel(victim, over: orders, using: &random)
      }
      // On average as long as the rate wants, from none to twice that.
      let pause = Double.random(in: 0...2, using: &random) * Double(Self.connections) / rate
      try await Task.sleep(for: min(.seconds(pause), max(.zero, end - .now)))
    }
  }

  private func place(
    _ body: [UInt8], of customer: String, over orders: [ServiceClient], until end: ContinuousClock.Instant,
    using random: inout SeededRandom
  ) async throws -> String? {
    // However this ends, also by a cancellation, the ledger has it.
    var outcome = ChaosLedger.Outcome.refused
    defer { ledger.note(outcome, of: customer) }
    for _ in 0..<Self.triesPerOrder {
      let service = orders[Int.random(in: 0..<orders.count, using: &random)]
      let before = outcome
      outcome = .perhaps
      var pause = Duration.milliseconds(200)
      do {
        let answer = try await service.exchange(
          "POST", "/orders", headers: [("Idempotency-Key", "\(seed)/\(customer)")], body: body,
          timeout: Self.patience)
        switch answer.status {
        case 201:
          guard let order = PlacedOrder(answer.body) else { return nil }
          outcome = .accepted(order.id)
          return order.id
        case 409:
          // An earlier try with the same key is still under way.
          ledger.noteRefusal(409)
        case _ where answer.isRefusedForNow:
          outcome = before
          ledger.noteRefusal(answer.status)
        default:
          outcome = before
          ledger.noteWrongAnswer("POST /orders was answered with \(answer.problem)")
          return nil
        }
        pause = answer.retryAfter ?? .seconds(1)
      } catch let error as ServiceClient.NoAnswer {
        if error.isUnsent { outcome = before } else { ledger.noteUnanswered() }
      }
      guard .now + pause < end else { return nil }
      try await Task.sleep(for: pause)
    }
    return nil
  }

  private func cancel(_ order: String, over orders: [ServiceClient], using random: inout SeededRandom) async throws {
    let service = orders[Int.random(in: 0..<orders.count, using: &random)]
    do {
      let answer = try await service.exchange(
        "POST", "/orders/\(order)/cancel", body: Array(#"{"reason":"chaos"}"#.utf8), timeout: Self.patience)
      switch answer.status {
      case 200: ledger.noteCancellation(.granted, of: order)
      case 409: ledger.noteCancellation(.tooLate, of: order)
      case _ where answer.isRefusedForNow: ledger.noteRefusal(answer.status)
      default: ledger.noteWrongAnswer("cancelling order \(order) was answered with \(answer.problem)")
      }
    } catch let error as ServiceClient.NoAnswer {
      if !error.isUnsent {
        ledger.noteUnanswered()
        ledger.noteCancellation(.perhaps, of: order)
      }
    }
  }

  private func request(_ customer: String, using random: inout SeededRandom) throws(Failure) -> [UInt8] {
    var products = (0..<Self.products).shuffled(using: &random).prefix(Int.random(in: 1...3, using: &random))
      .map(Self.productName)
    if Int.random(in: 0..<25, using: &random) == 0 { products.append("nobody-has-this") }
    return try OrderRequest.generated(for: customer, of: products, mostPieces: 3, using: &random).jsonBytes
  }
}

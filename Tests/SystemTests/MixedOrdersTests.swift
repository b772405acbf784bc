import TestSupport
import Testing
import WireFormat

extension BuiltBinaries {
  /// 2,000 orders of mixed products from 16 connections, some beyond the stock, some for products that nobody has, one in
  /// ten cancelled at a random moment; a restart in the middle; then every invariant of the contract, from outside.
  @Suite struct MixedOrdersTests {
    @Test(.timeLimit(.minutes(8)))
    func everyInvariantHoldsUnderMixedLoadAndAcrossARestart() async throws {
      let seed = UInt64.random(in: 0...UInt64.max)
      print("MixedOrdersTests seed \(seed)")
      let folder = try temporaryFolder()

      var stack = try await RunningStack(folder: folder)
      for product in 0..<10 { try await stack.stock("product-\(product)", onHand: 400) }
      var accepted = try await placeOrders(count: 1_000, seed: seed, on: stack)
      // In the middle of the work: what was accepted and is still on its way must come out right after the restart.
      #expect(try await stack.stop() == 0)

      stack = try await RunningStack(folder: folder)
      accepted += try await placeOrders(count: 1_000, seed: seed &+ 1, on: stack)
      try await checkInvariants(of: accepted, on: stack)
      #expect(try await stack.stop() == 0)

      stack = try await RunningStack(folder: folder)
      try await checkInvariants(of: accepted, on: stack)
      #expect(try await stack.stop() == 0)
    }
  }
}

/// Places orders from 16 connections and returns the ids of those answered with 201.
private func placeOrders(count: Int, seed: UInt64, on stack: RunningStack) async throws -> [String] {
  let connections = 16
  return try await withThrowingTaskGroup(of: [String].self) { group in
    for connection in 0..<connections {
      group.addTask {
        var random = SeededGenerator(seed: seed &+ UInt64(connection) &* 7919)
        var accepted: [String] = []
        for _ in 0..<(count / connections + (connection < count % connections ? 1 : 0)) {
          let answer = try await stack.orders.send("POST", "/orders", json: randomOrder(using: &random))
          #expect(answer.status == 201)
          guard let order = try answer.json()["order_id"]?.string else { continue }
          accepted.append(order)
          if Int.random(in: 0..<10, using: &random) == 0 {
            let victim = accepted.randomElement(using: &random) ?? order
            let cancelled = try await stack.orders.send("POST", "/orders/\(victim)/cancel", json: "{}")
            #expect([200, 409].contains(cancelled.status))
          }
        }
        return accepted
      }
    }
    return try await group.reduce(into: []) { $0 += $1 }
  }
}

private func randomOrder(using random: inout SeededGenerator) -> String {
  var products = (0..<10).map { "product-\($0)" }.shuffled(using: &random).prefix(Int.random(in: 1...3, using: &random))
  if Int.random(in: 0..<20, using: &random) == 0 { products.append("nobody-has-this") }
  let items = products.map {
    let cents = Int.random(in: 0...9_999, using: &random)
    let price = "\(cents / 100).\(cents % 100 < 10 ? "0" : "")\(cents % 100)"
    return #"{"product_id":"\#($0)","quantity":\#(Int.random(in: 1...3, using: &random)),"unit_price":\#(price)}"#
  }
  return
    #"{"customer_id":"customer-\#(Int.random(in: 0..<50, using: &random))","items":[\#(items.joined(separator: ","))]}"#
}

/// The contract's section 7, asked of the services by a client that shares no code with `orderflow verify`; then by it.
private func checkInvariants(of accepted: [String], on stack: RunningStack) async throws {
  let orders = try await eventually("every order settled", within: .seconds(120), every: .milliseconds(300)) {
    let pending = try await stack.orders.get("/orders?status=PENDING&limit=1").json()["orders"]?.array ?? []
    let unpublished = try await stack.orders.get("/outbox?status=unpublished&limit=1").json()["rows"]?.array ?? []
    return pending.isEmpty && unpublished.isEmpty ? try await stack.orders.all("/orders", "orders") : nil
  }
  let byID = Dictionary(orders.map { ($0["order_id"]?.string ?? "", $0) }) { first, _ in first }
  #expect(orders.count == byID.count, "a list repeats an order")
  #expect(Set(accepted) == Set(byID.keys))

  var expectedMails: Set<String> = []
  for (order, fields) in byID {
    expectedMails.insert("\(order) ORDER_CREATED")
    switch (fields["status"]?.string, fields["version"]?.number?.int64) {
    case ("CONFIRMED", 2): expectedMails.insert("\(order) ORDER_CONFIRMED")
    case ("REJECTED", 2): expectedMails.insert("\(order) ORDER_REJECTED")
    case ("CANCELLED", 2): expectedMails.insert("\(order) ORDER_CANCELLED")
    case ("CANCELLED", 3): expectedMails.formUnion(["\(order) ORDER_CONFIRMED", "\(order) ORDER_CANCELLED"])
    default: Issue.record("order \(order) is \(fields)")
    }
  }
  let mails = try await eventually("every mail", within: .seconds(60), every: .milliseconds(300)) {
    let mails = try await stack.notifications.all("/emails", "emails")
    return mails.count >= expectedMails.count ? mails : nil
  }
  let mailNames = mails.map { "\($0["order_id"]?.string ?? "") \($0["kind"]?.string ?? "")" }
  #expect(mailNames.count == Set(mailNames).count, "a mail twice")
  #expect(Set(mailNames) == expectedMails)

  // Waits until every group has read everything: what is looked at from here on is final.
  let verdict = try await stack.tool("verify", "--settle", "60")
  #expect(verdict.status == 0, "\(verdict.output)")

  let (reserved, wrong) = try await eventually("every reservation released that must be", within: .seconds(60)) {
    let (reserved, wrong) = try await reservations(of: byID, on: stack)
    return wrong.isEmpty ? (reserved, wrong) : nil
  }
  #expect(wrong.isEmpty)
  for product in try await stack.inventory.all("/products", "products") {
    let name = product["product_id"]?.string ?? ""
    let onHand = product["on_hand"]?.number?.int64 ?? -1
    let held = product["reserved"]?.number?.int64 ?? -1
    #expect(onHand == 400)
    #expect(held == reserved[name, default: 0], "\(name)")
    #expect(product["available"]?.number?.int64 == onHand - held)
    #expect(onHand - held >= 0)
  }
}

/// Pieces held per product, and the orders whose reservation does not fit their status.
private func reservations(
  of orders: [String: JSONObject], on stack: RunningStack
) async throws -> (reserved: [String: Int64], wrong: [String]) {
  var reserved: [String: Int64] = [:]
  var statusOf: [String: String] = [:]
  for reservation in try await stack.inventory.all("/reservations", "reservations") {
    let order = reservation["order_id"]?.string ?? ""
    let status = reservation["status"]?.string ?? ""
    statusOf[order] = status
    guard status == "RESERVED" else { continue }
    for item in reservation["items"]?.array ?? [] {
      reserved[item.object?["product_id"]?.string ?? "", default: 0] += item.object?["quantity"]?.number?.int64 ?? 0
    }
  }
  let wrong = orders.filter { order, fields in
    switch (fields["status"]?.string, statusOf[order]) {
    case ("CONFIRMED", "RESERVED"), ("REJECTED", "REJECTED"): false
    case ("CANCELLED", nil), ("CANCELLED", "REJECTED"), ("CANCELLED", "RELEASED"): false
    default: true
    }
  }
  return (reserved, wrong.keys.sorted())
}

import Foundation
import TestSupport
import Testing
import WireFormat

extension BuiltBinaries {
  /// One order, as a newcomer places it.
  @Suite struct OrderJourneyTests {
    @Test(.timeLimit(.minutes(3)))
    func anOrderBecomesAReservationAndMailsAndSurvivesARestart() async throws {
      let folder = try temporaryFolder()
      let stack = try await RunningStack(folder: folder)
      try await stack.stock("keyboard", onHand: 10)

      let placed = try await stack.orders.send(
        "POST", "/orders",
        json: #"{"customer_id":"ada","items":[{"product_id":"keyboard","quantity":2,"unit_price":49.90}]}"#)
      #expect(placed.status == 201)
      let order = try #require(try placed.json()["order_id"]?.string)
      #expect(placed.header("location") == "/orders/\(order)")
      #expect(try placed.json()["total"]?.number?.text == "99.80")

      let settled = try await stack.orders.get("/orders/\(order)?wait=30&until=settled").json()
      #expect(settled["status"]?.string == "CONFIRMED")
      #expect(settled["version"]?.number?.int64 == 2)

      let reservation = try await stack.inventory.get("/reservations/\(order)").json()
      #expect(reservation["status"]?.string == "RESERVED")
      let product = try await stack.inventory.get("/products/keyboard").json()
      #expect(product["available"]?.number?.int64 == 8)

      let mails = try await eventually("two mails") {
        let mails = try await stack.notifications.all("/emails?order_id=\(order)", "emails")
        return mails.count == 2 ? mails : nil
      }
      #expect(Set(mails.compactMap { $0["kind"]?.string }) == ["ORDER_CREATED", "ORDER_CONFIRMED"])
      #expect(mails.allSatisfy { $0["to"]?.string == "ada@example.com" })

      let verdict = try await stack.tool("verify")
      #expect(verdict.status == 0, "\(verdict.output)")
      #expect(try await stack.stop() == 0)

      let again = try await RunningStack(folder: folder)
      let same = try await again.orders.get("/orders/\(order)").json()
      #expect(same == settled)
      let verdictAgain = try await again.tool("verify")
      #expect(verdictAgain.status == 0, "\(verdictAgain.output)")
      #expect(try await again.stop(signal: SIGTERM) == 0)
    }

    @Test(.timeLimit(.minutes(2)))
    func theToolFollowsAnOrderToItsEnd() async throws {
      let stack = try await RunningStack()
      try await stack.stock("mouse", onHand: 5)

      let confirmed = try await stack.tool(
        "order", "--customer", "grace", "--item", "mouse:2:19.90", "--wait")
      #expect(confirmed.status == 0, "\(confirmed.output)")
      #expect(confirmed.output.contains("CONFIRMED"))

      let refused = try await stack.tool("order", "--customer", "grace", "--item", "mouse:9:19.90", "--wait")
      #expect(refused.status == 1, "\(refused.output)")
      #expect(refused.output.contains("OUT_OF_STOCK"))

      let usage = try await stack.tool("order", "--customer", "grace", "--item", "mouse")
      #expect(usage.status == 64, "\(usage.output)")
      _ = try await stack.stop()
    }
  }
}

import Foundation
import TestSupport
import Testing

extension BuiltBinaries {
  /// `orderflow up` as the parent of the services.
  @Suite struct SupervisionTests {
    @Test(.timeLimit(.minutes(3)))
    func aKilledServiceIsRestartedAndItsOrdersAreFinished() async throws {
      let stack = try await RunningStack()
      try await stack.stock("lamp", onHand: 1_000)
      let victims = ["OrderService", "InventoryService", "NotificationService"]

      for victim in victims {
        let before = try #require(stack.processIDs[victim]?.first)
        let placed = try await stack.orders.send(
          "POST", "/orders", json: #"{"customer_id":"c","items":[{"product_id":"lamp","quantity":1,"unit_price":1}]}"#)
        #expect(placed.status == 201)
        let order = try #require(try placed.json()["order_id"]?.string)
        kill(before, SIGKILL)
        _ = try await eventually("order \(order) confirmed after \(victim) was killed", every: .milliseconds(200)) {
          guard let answer = try? await stack.orders.get("/orders/\(order)") else { return nil as Bool? }
          return try answer.json()["status"]?.string == "CONFIRMED" ? true : nil
        }
      }

      _ = try await eventually("NotificationService back in its group") {
        await stack.notifications.assignment()?.count == 6 ? true : nil
      }
      let verdict = try await stack.tool("verify", "--settle", "60")
      #expect(verdict.status == 0, "\(verdict.output)")
      #expect(try await stack.stop() == 0)
    }

    /// Accept no more, finish what is in hand, store, leave, flush, close: whoever does that in another order leaves copies.
    @Test(.timeLimit(.minutes(3)))
    func aServiceThatIsStoppedUnderLoadEndsInTimeAndLeavesNoCopies() async throws {
      let stack = try await RunningStack()
      try await stack.stock("lamp", onHand: 100_000)
      let load = OrderLoad(on: [stack.orders], of: "lamp", cancelling: 0.1)
      for (name, client) in [
        ("OrderService", stack.orders), ("InventoryService", stack.inventory),
        ("NotificationService", stack.notifications),
      ] {
        _ = try await eventually("\(name) at work") { try await client.consumerCount("handled") > 20 ? true : nil }
        let process = try #require(try stack.currentProcessIDs()[name]?.first)
        let start = ContinuousClock.now
        kill(process, SIGTERM)
        let line = try await stack.up.waitForLine(containing: "\(name) ended (")
        #expect(line.contains("ended (exit status 0)"))
        #expect(ContinuousClock.now - start < .seconds(10))
        _ = try await eventually("\(name) back in its group") { await client.assignment()?.count == 6 ? true : nil }
      }
      _ = try await load.stop()

      let verdict = try await stack.tool("verify", "--settle", "60")
      #expect(verdict.status == 0, "\(verdict.output)")
      #expect(verdict.output.contains(", 0 copies,"), "\(verdict.output)")
      for client in [stack.orders, stack.inventory, stack.notifications] {
        #expect(try await client.consumerCount("duplicates") == 0)
      }
      #expect(try await stack.stop() == 0)
    }

    @Test(.timeLimit(.minutes(2)))
    func aSecondUpOnTheSameFolderIsRefused() async throws {
      let stack = try await RunningStack()
      let second = try await ChildProcess.run(
        BuiltProduct.url("orderflow"), ["up", "--data-dir", stack.folder.path, "--port-base", "\(freePortBase())"])
      #expect(second.status == 1, "\(second.output)")
      #expect(second.output.contains(stack.folder.path))
      _ = try await stack.stop()
    }

    @Test(.timeLimit(.minutes(2)))
    func childrenStopWhenUpIsKilled() async throws {
      let stack = try await RunningStack()
      let children = stack.processIDs.values.flatMap { $0 }
      #expect(children.count == 3)

      stack.up.send(SIGKILL)

      _ = try await eventually("the end of the children", within: .seconds(20)) {
        children.allSatisfy { kill($0, 0) != 0 || isZombie($0) } ? true : nil
      }
    }
  }
}

/// A child of a killed parent that nobody has waited for yet.
private func isZombie(_ process: Int32) -> Bool {
  guard let stat = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else { return false }
  return stat.split(separator: ")").last?.trimmingCharacters(in: .whitespaces).hasPrefix("Z") ?? false
}

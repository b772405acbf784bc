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

      let verdict = try await stack.tool("verify")
      #expect(verdict.status == 0, "\(verdict.output)")
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

import Foundation
import TestSupport
import Testing
import WireFormat

extension BuiltBinaries {
  /// The whole data directory, stores and logs, on a disk without room: a small one in memory, in a view of the file
  /// system that only the stack has.
  @Suite struct FullDiskTests {
    @Test(
      .timeLimit(.minutes(4)),
      .enabled("this machine does not allow a mount in a namespace of its own (it takes Linux and root)") {
        await SmallDisk.isPermitted()
      })
    func aFullDiskRefusesOrdersLosesNoneAndIsOverOnceThereIsRoom() async throws {
      let stack = try await RunningStack(launcher: SmallDisk.launcher)
      try await stack.stock("lamp", onHand: 100_000)
      var accepted: [String] = []
      for _ in 0..<20 { accepted.append(try await #require(placeOrder(on: stack).id)) }

      try SmallDisk.fill(stack.folder)
      // What the stores have allocated already may still take some orders.
      let refusal = try await eventually("a refused order", within: .seconds(60), every: .zero) {
        let placed = try await placeOrder(on: stack)
        if let id = placed.id { accepted.append(id) }
        return placed.id == nil ? placed.answer : nil
      }
      #expect(refusal.status == 503)
      #expect((refusal.header("retry-after").flatMap { Int($0) } ?? 0) >= 1)
      #expect(refusal.header("content-type") == "application/problem+json")
      for _ in 0..<50 {
        let placed = try await placeOrder(on: stack)
        #expect([201, 503].contains(placed.answer.status))
        if let id = placed.id { accepted.append(id) }
      }
      #expect(try await stack.orders.get("/orders?limit=10").status == 200)
      #expect(try await stack.orders.get("/health").status == 200)

      try SmallDisk.makeRoom(stack.folder)
      _ = try await eventually("an order that is taken again", within: .seconds(30), every: .milliseconds(200)) {
        let placed = try await placeOrder(on: stack)
        if let id = placed.id { accepted.append(id) }
        return placed.id
      }
      for order in accepted {
        let settled = try await stack.orders.get("/orders/\(order)?wait=60&until=settled").json()
        #expect(settled["status"]?.string == "CONFIRMED")
      }
      #expect(try await stack.orders.all("/orders", "orders").count == accepted.count)
      let verdict = try await stack.tool("verify", "--settle", "60")
      #expect(verdict.status == 0, "\(verdict.output)")
      #expect(try await stack.stop() == 0, "\(stack.up.text.suffix(2_000))")
    }
  }
}

private func placeOrder(on stack: RunningStack) async throws -> (answer: ServiceAnswer, id: String?) {
  let answer = try await stack.orders.send(
    "POST", "/orders", json: #"{"customer_id":"c","items":[{"product_id":"lamp","quantity":1,"unit_price":1}]}"#)
  return (answer, answer.status == 201 ? try answer.json()["order_id"]?.string : nil)
}

/// 24 MiB in memory at the place of the data directory.
private enum SmallDisk {
  /// Becomes the command that follows, whose `--data-dir` is the third word.
  static let launcher = [
    "unshare", "--mount", "--propagation", "private", "--", "sh", "-c",
    #"mount -t tmpfs -o size=24m small-disk "$3" && exec "$0" "$@""#,
  ]

  static func isPermitted() async -> Bool {
    guard let unshare = ChildProcess.find("unshare") else { return false }
    let words = ["--mount", "--propagation", "private", "--", "mount", "-t", "tmpfs", "-o", "size=64k", "t", "/tmp"]
    return (try? await ChildProcess.run(unshare, words))?.status == 0
  }

  static func fill(_ folder: URL) throws {
    let descriptor = open(ballast(in: folder), O_WRONLY | O_CREAT, 0o600)
    guard descriptor >= 0 else { throw POSIXError(.EACCES) }
    defer { close(descriptor) }
    let block = [UInt8](repeating: 0, count: 4096)
    while write(descriptor, block, block.count) == block.count {}
  }

  static func makeRoom(_ folder: URL) throws {
    try FileManager.default.removeItem(atPath: ballast(in: folder))
  }

  private static func ballast(in folder: URL) -> String { folder.appendingPathComponent("ballast").path }
}

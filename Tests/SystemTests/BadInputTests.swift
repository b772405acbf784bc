import Foundation
import TestSupport
import Testing

extension BuiltBinaries {
  /// Bodies that no client should send, at the real process.
  @Suite struct BadInputTests {
    @Test(.timeLimit(.minutes(5)))
    func tenThousandRandomAndMutatedBodiesDoNoHarm() async throws {
      let seed = UInt64.random(in: 0...UInt64.max)
      print("BadInputTests seed \(seed)")
      let stack = try await RunningStack()
      let process = try #require(stack.processIDs["OrderService"]?.first)

      try await sendHostileBodies(2_000, seed: seed, to: stack.orders)
      let before = try residentKilobytes(of: process)
      try await sendHostileBodies(8_000, seed: seed &+ 1, to: stack.orders)
      let after = try residentKilobytes(of: process)

      #expect(after - before < 48 * 1024, "resident memory grew from \(before) to \(after) KiB")
      #expect(kill(process, 0) == 0, "the service has died")
      #expect(try await stack.orders.get("/health").status == 200)
      _ = try await stack.stop()
    }
  }
}

private func sendHostileBodies(_ count: Int, seed: UInt64, to orders: ServiceClient) async throws {
  try await withThrowingTaskGroup(of: Void.self) { group in
    for connection in 0..<16 {
      group.addTask {
        var random = SeededGenerator(seed: seed &+ UInt64(connection) &* 104_729)
        for _ in 0..<(count / 16) {
          let body = hostileBody(using: &random)
          let answer = try await orders.send("POST", "/orders", body: body)
          #expect((200..<500).contains(answer.status), "\(answer.status) for \(body.prefix(300))")
        }
      }
    }
    try await group.waitForAll()
  }
}

private func hostileBody(using random: inout SeededGenerator) -> [UInt8] {
  let valid = Array(
    #"{"customer_id":"customer-42","items":[{"product_id":"keyboard","quantity":2,"unit_price":49.90}],"total":99.80}"#
      .utf8)
  switch Int.random(in: 0..<6, using: &random) {
  case 0:
    return (0..<Int.random(in: 0...400, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
  case 1:
    let depth = Int.random(in: 1...60_000, using: &random)
    return Array(repeating: UInt8(ascii: Bool.random(using: &random) ? "[" : "{"), count: depth)
  case 2:
    let literals = [
      "1e99", "-1", "1e-99", "1e999999999999", "0.001", "99999999999999999999999", "null", "\"2\"", "[]", "{}",
    ]
    let literal = literals.randomElement(using: &random) ?? "null"
    return Array(
      #"{"customer_id":"c","items":[{"product_id":"p","quantity":\#(literal),"unit_price":\#(literal)}]}"#.utf8)
  case 3:
    return Array(valid.prefix(Int.random(in: 0..<valid.count, using: &random)))
  default:
    var body = valid
    for _ in 0...Int.random(in: 0..<6, using: &random) {
      body[Int.random(in: 0..<body.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
    }
    return body
  }
}

private func residentKilobytes(of process: Int32) throws -> Int {
  let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
  let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
  return Int(line.split(whereSeparator: \.isWhitespace).dropFirst().first ?? "") ?? 0
}

import Foundation
import GRDB
import TestSupport
import Testing

extension BuiltBinaries {
  /// Members come and go all the time, under load: two minutes of it with SOAK_SECONDS=120, as `make soak` has it.
  @Suite struct RebalanceSoakTests {
    @Test(.timeLimit(.minutes(60)))
    func membersComeAndGoUnderLoadAndEveryInvariantHolds() async throws {
      let seed = UInt64.random(in: 0...UInt64.max)
      let length = Duration.seconds(Int(ProcessInfo.processInfo.environment["SOAK_SECONDS"] ?? "") ?? 30)
      print("RebalanceSoakTests seed \(seed), \(length)")
      let stack = try await RunningStack()
      try await stack.stock("lamp", onHand: 10_000_000)
      let load = OrderLoad(on: [stack.orders], of: "lamp", cancelling: 0.1)

      var guests = Guests(stack: stack, random: SeededGenerator(seed: seed))
      let end = ContinuousClock.now + length
      while ContinuousClock.now < end { try await guests.change() }
      try await guests.leave()
      let accepted = try await load.stop()
      print("RebalanceSoakTests: \(accepted.count) orders; \(guests.summary)")

      let verdict = try await stack.tool("verify", "--settle", "120", within: .seconds(300))
      #expect(verdict.status == 0, "\(verdict.output)")
      let known = try await stack.orders.all("/orders", "orders").compactMap { $0["order_id"]?.string }
      #expect(Set(accepted).isSubset(of: known))
      #expect(try await stack.stop() == 0)
      for store in services.values { #expect(try damage(of: stack.folder.appendingPathComponent(store)) == ["ok"]) }
    }
  }
}

/// The executables and the stores that their instances share.
private let services = [
  "OrderService": "order-service.sqlite", "InventoryService": "inventory-service.sqlite",
  "NotificationService": "notification-service.sqlite",
]

/// Instances beside those of the stack, one of a service at most.
private struct Guests {
  let stack: RunningStack
  var random: SeededGenerator
  private var running: [String: ServiceInstance] = [:]
  private var joined = 0
  private var stopped = 0
  private var killed = 0
  private var paused = 0

  init(stack: RunningStack, random: SeededGenerator) {
    self.stack = stack
    self.random = random
  }

  var summary: String { "\(joined) joined, \(stopped) left in order, \(killed) killed, \(paused) paused" }

  /// One comes or goes, and then there is some time to work: members that change faster than their group can settle
  /// would not be a test of anything.
  mutating func change() async throws {
    let name = services.keys.sorted().randomElement(using: &random) ?? "OrderService"
    if let guest = running.removeValue(forKey: name) {
      try await end(guest, named: name)
    } else {
      running[name] = try await ServiceInstance(
        name, store: stack.folder.appendingPathComponent(services[name] ?? ""),
        bootstrapServers: stack.bootstrapServers)
      joined += 1
    }
    try await Task.sleep(for: .milliseconds(Int.random(in: 1_000...4_000, using: &random)))
  }

  private mutating func end(_ guest: ServiceInstance, named name: String) async throws {
    switch Int.random(in: 0..<4, using: &random) {
    case 0...1:
      #expect(try await guest.stop() == 0)
      stopped += 1
    case 2:
      guest.process.send(SIGKILL)
      _ = try await guest.process.waitForExit()
      killed += 1
    default:
      // Past its session's end, and back as if nothing had been.
      guest.process.send(SIGSTOP)
      try await Task.sleep(for: .seconds(8))
      guest.process.send(SIGCONT)
      running[name] = guest
      paused += 1
    }
  }

  mutating func leave() async throws {
    for guest in running.values { #expect(try await guest.stop() == 0) }
    running = [:]
  }
}

/// What SQLite's own check says of a store: "ok", or what is wrong.
private func damage(of store: URL) throws -> [String] {
  let database = try DatabaseQueue(path: store.path)
  defer { try? database.close() }
  return try database.read { try String.fetchAll($0, sql: "PRAGMA integrity_check") }
}

import FaultInjection
import Foundation
import TestSupport
import Testing

extension BuiltBinaries {
  /// Every failpoint of every service: SIGKILL at that very moment, under load; the supervisor starts the service again;
  /// then everything has to settle, with every invariant intact and every accepted order there.
  ///
  /// The deaths are spread over some stacks, two of which run at a time: a stack waits most of its time, for a group that
  /// has lost a member.
  @Suite struct CrashMatrixTests {
    private static let rounds = 6

    @Test func theMatrixHasEveryFailpoint() {
      #expect(Set(CrashMatrix.crashes.map(\.failpoint)) == Set(Failpoint.all.map(\.rawValue)))
      #expect(Set(CrashMatrix.crashes.map(\.name)).count == CrashMatrix.crashes.count)
    }

    @Test(.timeLimit(.minutes(15)))
    func whereverAServiceIsKilledNothingIsLostOrDoubled() async throws {
      let rounds = CrashMatrix.rounds(Self.rounds)
      let only = ProcessInfo.processInfo.environment["CRASH_ROUND"].flatMap(Int.init)
      await withThrowingTaskGroup(of: Void.self) { group in
        for lane in 0..<2 {
          group.addTask {
            for index in stride(from: lane, to: rounds.count, by: 2) where only == nil || only == index {
              try await CrashRound(number: index, crashes: rounds[index]).run()
            }
          }
        }
        while let result = await group.nextResult() {
          if case .failure(let error) = result { Issue.record(error) }
        }
      }
    }
  }
}

/// A stack that is killed at some places, and has to come out right.
private struct CrashRound {
  let number: Int
  let crashes: [Crash]

  private let folder: URL
  private let fired: URL

  init(number: Int, crashes: [Crash]) throws {
    self.number = number
    self.crashes = crashes
    folder = try temporaryFolder()
    fired = try temporaryFolder()
  }

  func run() async throws {
    let orders = try await firstLife()
    try await secondLife(orders)
    for crash in crashes {
      let hasFired = wasKilled(at: crash)
      print("round \(number): \(crash.name), \(hasFired ? "killed there" : "NEVER REACHED")")
      #expect(hasFired, "\(crash.name) was never reached: nothing is proven of it")
    }
    try FileManager.default.removeItem(at: folder)
    try FileManager.default.removeItem(at: fired)
  }

  /// Works until everything has died that should die under load, and is stopped in the middle of more work.
  private func firstLife() async throws -> OrdersUnderWay {
    let stack = try await start()
    for product in OrdersUnderWay.products { try await stack.stock(product, onHand: 100_000) }
    let orders = OrdersUnderWay(stack, seed: UInt64(number))
    let trouble = try TroubleOnTopics(bootstrapServers: stack.bootstrapServers, seed: number)
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await orders.keepComing() }
      group.addTask { await trouble.keepComing() }
      group.addTask { await Operator(stack).keepWorking() }
      defer { group.cancelAll() }
      _ = try? await eventually("every death under load", within: .seconds(75), every: .milliseconds(100)) {
        crashes.allSatisfy { ![.start, .load].contains($0.moment) || wasKilled(at: $0) } ? true : nil
      }
    }
    try await check(orders, on: stack)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await orders.keepComing() }
      defer { group.cancelAll() }
      let before = orders.count
      _ = try await eventually("more orders") { orders.count > before + 10 ? true : nil }
      _ = try await stack.stop()
    }
    return orders
  }

  /// The same stores with a broker that knows nothing: everything is published again, and nothing happens twice.
  private func secondLife(_ orders: OrdersUnderWay) async throws {
    let stack = try await start()
    try await check(orders, on: stack)
    #expect(try await stack.stop() == 0)
  }

  /// A member that has died is replaced after the session timeout, and the mock broker's first join takes 3 seconds.
  private func start() async throws -> RunningStack {
    try await RunningStack(
      folder: folder,
      environment: [
        "FAILPOINTS": crashes.map(\.rule).joined(separator: ";"), "FAILPOINTS_FIRED_DIR": fired.path,
        "KAFKA_CONSUMER_SESSION_TIMEOUT_MS": "4000", "KAFKA_CONSUMER_HEARTBEAT_INTERVAL_MS": "500",
      ])
  }

  private func check(_ orders: OrdersUnderWay, on stack: RunningStack) async throws {
    // The last that was killed has to be there again.
    for service in [stack.orders, stack.inventory, stack.notifications] {
      _ = try await eventually("\(service.base) is ready", every: .milliseconds(100)) {
        try? await service.get("/ready").status == 200 ? true : nil
      }
    }
    let verdict = try await stack.tool("verify", "--settle", "90")
    #expect(verdict.status == 0, "round \(number):\n\(verdict.output)\n\(words(of: stack))")
    let there = try await stack.orders.all("/orders", "orders")
    let lost = orders.accepted.subtracting(there.compactMap { $0["order_id"]?.string })
    #expect(lost == [], "round \(number): accepted, and lost")
    let keys = there.compactMap { $0["customer_id"]?.string }.filter { $0.hasPrefix("key-") }
    #expect(Set(keys).count == keys.count, "round \(number): an idempotency key made two orders")
  }

  /// What `up` itself said.
  private func words(of stack: RunningStack) -> String {
    stack.up.text.split(separator: "\n").filter { !$0.contains(" | ") }.suffix(60).joined(separator: "\n")
  }

  private func wasKilled(at crash: Crash) -> Bool {
    FileManager.default.fileExists(atPath: fired.appendingPathComponent(crash.name).path)
  }
}

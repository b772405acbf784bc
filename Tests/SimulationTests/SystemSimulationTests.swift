import Foundation
import Messaging
import TestSupport
import Testing

/// Everything that can happen to three services, a broker and their stores, in an order that follows from a seed.
///
/// `SIMULATION_SEEDS=200000` runs so many seeds; `SIMULATION_SEED=1234` runs that one, and tells what happened.
@Suite("System simulation")
struct SystemSimulationTests {
  @Test(arguments: SimulationSeeds.portions)
  func whateverHappensAllPromisesAreKept(_ seeds: Range<UInt64>) async throws {
    let reports = try await DedicatedThread.run(named: "simulation") { try seeds.compactMap(Self.report) }
    for report in reports { Issue.record("\(report)") }
  }

  /// What broke a promise in a run; nil where everything was kept.
  private static func report(_ seed: UInt64) throws -> String? {
    let simulation = try Simulation(seed: seed, isDetailed: SimulationSeeds.isReplay)
    try simulation.run()
    if SimulationSeeds.isReplay {
      print(simulation.trace.lines.joined(separator: "\n"))
      print(outcome(of: simulation))
    }
    guard !simulation.violations.isEmpty else { return nil }
    return """
      Seed \(seed): \(simulation.violations.joined(separator: "\n  "))
      The last that happened:
      \(simulation.trace.lines.suffix(30).joined(separator: "\n"))
      All of it: SIMULATION_SEED=\(seed) swift test --filter SystemSimulationTests
      """
  }

  private static func outcome(of simulation: Simulation) -> String {
    "seed \(simulation.seed) has the trace \(String(simulation.trace.hash, radix: 16))"
  }

  @Test func theSameSeedIsTheSameRun() async throws {
    let seeds = SimulationSeeds.replayed.map { $0..<$0 + 1 } ?? 0..<20
    let runs = try await DedicatedThread.run(named: "simulation") {
      try (0..<2).map { _ in
        try seeds.map { seed in
          let simulation = try Simulation(seed: seed)
          try simulation.run()
          return Self.outcome(of: simulation)
        }
      }
    }
    #expect(runs[0] == runs[1])
  }

  /// What the command that is printed with a failing seed relies on: nothing hangs on the order of a hash table.
  @Test(.enabled(if: !SimulationSeeds.isReplay), arguments: [3, 14, 159] as [UInt64])
  func aSeedIsTheSameRunInAnotherProcess(_ seed: UInt64) async throws {
    let here = try await DedicatedThread.run(named: "simulation") {
      let simulation = try Simulation(seed: seed)
      try simulation.run()
      return Self.outcome(of: simulation)
    }
    let own = CommandLine.arguments
    // On macOS the process is a helper that is told where the bundle lies.
    let bundle = own.firstIndex(of: "--test-bundle-path").map { Array(own[$0...].prefix(2)) } ?? []
    let there = try await ChildProcess.run(
      URL(fileURLWithPath: own[0]),
      bundle + ["--testing-library", "swift-testing", "--filter", "whateverHappensAllPromisesAreKept"],
      environment: ["SIMULATION_SEED": "\(seed)"])
    #expect(there.output.contains(here), "\(here)\n\(there.output.suffix(2_000))")
  }
}

/// Which seeds are run, in portions that run side by side.
enum SimulationSeeds {
  /// The only seed that is wanted.
  static let replayed = ProcessInfo.processInfo.environment["SIMULATION_SEED"].flatMap { UInt64($0) }
  static var isReplay: Bool { replayed != nil }

  static var portions: [Range<UInt64>] {
    if let seed = replayed { return [seed..<seed + 1] }
    let count = ProcessInfo.processInfo.environment["SIMULATION_SEEDS"].flatMap { UInt64($0) } ?? 2_000
    let size = max(1, (count + 3) / 4)
    return stride(from: 0, to: count, by: Int(size)).map { $0..<min($0 + size, count) }
  }
}

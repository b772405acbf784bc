import Foundation
import Messaging
import Testing

/// Everything that can happen to three services, a broker and their stores, in an order that follows from a seed.
///
/// `SIMULATION_SEEDS=200000` runs so many seeds; `SIMULATION_SEED=1234` runs that one, and tells what happened.
@Suite("System simulation")
struct SystemSimulationTests {
  @Test(arguments: SimulationSeeds.portions)
  func whateverHappensAllPromisesAreKept(_ seeds: Range<UInt64>) async throws {
    try await DedicatedThread.run(named: "simulation") {
      for seed in seeds { try check(seed) }
    }
  }

  private func check(_ seed: UInt64) throws {
    let simulation = try Simulation(seed: seed, isDetailed: SimulationSeeds.isReplay)
    try simulation.run()
    if SimulationSeeds.isReplay { print(simulation.trace.lines.joined(separator: "\n")) }
    if !simulation.violations.isEmpty { report(simulation) }
  }

  private func report(_ simulation: Simulation) {
    Issue.record(
      """
      Seed \(simulation.seed): \(simulation.violations.joined(separator: "\n  "))
      The last that happened:
      \(simulation.trace.lines.suffix(30).joined(separator: "\n"))
      All of it: SIMULATION_SEED=\(simulation.seed) swift test --filter SystemSimulationTests
      """)
  }

  @Test func theSameSeedIsTheSameRun() async throws {
    let seeds = SimulationSeeds.replayed.map { $0..<$0 + 1 } ?? 0..<20
    try await DedicatedThread.run(named: "simulation") {
      for seed in seeds {
        let hashes = try (0..<2).map { _ in
          let simulation = try Simulation(seed: seed)
          try simulation.run()
          return simulation.trace.hash
        }
        #expect(hashes[0] == hashes[1], "seed \(seed)")
      }
    }
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

import Foundation
import TestSupport
import Testing
import WireFormat

extension BuiltBinaries {
  /// `orderflow chaos`: everything goes wrong, in an order that the seed gives. Longer: `make chaos SECONDS=3600`.
  @Suite struct ChaosTests {
    @Test(.timeLimit(.minutes(6)), arguments: [1, 2, 3])
    func nothingBreaksInAMinuteOfFaults(seed: Int) async throws {
      let chaos = try await ChildProcess.run(
        BuiltProduct.url("orderflow"), ["chaos", "--seconds", "60", "--seed", "\(seed)", "--rate", "20"],
        within: .seconds(330))

      #expect(chaos.status == 0, "\(chaos.output)")
      #expect(chaos.output.contains("Nothing broke."), "\(chaos.output)")
    }

    @Test(.timeLimit(.minutes(1)))
    func theSameSeedPrintsTheSamePlan() async throws {
      let arguments = ["chaos", "--plan", "--seconds", "600", "--seed", "42"]
      let first = try await ChildProcess.run(BuiltProduct.url("orderflow"), arguments)
      let second = try await ChildProcess.run(BuiltProduct.url("orderflow"), arguments + ["--instances", "3"])

      #expect(first.status == 0)
      #expect(first.output == second.output)
      #expect(first.output.contains("kill -9 of "))
    }

    @Test(.timeLimit(.minutes(2)))
    func ctrlCEndsItAndLeavesNothingBehind() async throws {
      let temporary = try temporaryFolder()
      defer { try? FileManager.default.removeItem(at: temporary) }
      let chaos = try ChildProcess(
        BuiltProduct.url("orderflow"), ["chaos", "--seconds", "600", "--seed", "5", "--faults", "kill,pause,broker"],
        environment: ["TMPDIR": temporary.path])
      _ = try await chaos.waitForLine(containing: "  kill  ")

      chaos.send(SIGINT)

      #expect(try await chaos.waitForExit(within: .seconds(40)) == 1)
      #expect(chaos.text.contains("there will be no verdict"))
      #expect(try FileManager.default.contentsOfDirectory(atPath: temporary.path) == [])
    }

    @Test(.timeLimit(.minutes(1)))
    func aKindOfFaultThatIsNotKnownIsWrongUsage() async throws {
      let chaos = try await ChildProcess.run(BuiltProduct.url("orderflow"), ["chaos", "--faults", "kill,locusts"])

      #expect(chaos.status == 64)
      #expect(chaos.output.contains("'locusts' is no kind of fault"))
    }
  }
}

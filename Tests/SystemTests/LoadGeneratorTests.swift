import Foundation
import TestSupport
import Testing
import WireFormat

extension BuiltBinaries {
  /// `orderflow load` against a running stack.
  @Suite struct LoadGeneratorTests {
    @Test(.timeLimit(.minutes(3)), arguments: [["--concurrency", "8"], ["--rate", "150"]])
    func everyOrderIsFollowedToItsLastMailAndTimed(pace: [String]) async throws {
      let stack = try await RunningStack()
      let load = try await ChildProcess.run(
        BuiltProduct.url("orderflow"),
        ["load", "--orders", "300", "--products", "4", "--json", "--data-dir", stack.folder.path] + pace)
      #expect(load.status == 0, "\(load.output)")

      let line = try #require(load.output.split(separator: "\n").last { $0.hasPrefix("{") })
      let report = try #require(try JSONValue(parsing: Array(line.utf8)).object)
      #expect(report["accepted"]?.number?.int64 == 300)
      #expect(report["lost"]?.number?.int64 == 0)
      #expect(report["ends"]?.object?["CONFIRMED"]?.number?.int64 == 300)
      let latencies = try #require(report["latency_ms"]?.object)
      for stretch in ["acceptance", "reservation", "verdict", "final_email"] {
        #expect(latencies[stretch]?.object?["count"]?.number?.int64 == 300, "\(stretch)")
      }
      let verdict = try await stack.tool("verify")
      #expect(verdict.status == 0, "\(verdict.output)")
      #expect(try await stack.stop() == 0)
    }

    @Test(.timeLimit(.minutes(1)))
    func withoutAStackItSaysSo() async throws {
      let load = try await ChildProcess.run(
        BuiltProduct.url("orderflow"), ["load", "--orders", "1", "--data-dir", try temporaryFolder().path])

      #expect(load.status == 1)
      #expect(load.output.contains("no `orderflow up` runs on"))
    }
  }
}

import Foundation
import TestSupport
import Testing

extension BuiltBinaries {
  /// Other people's packages use `Messaging` and `EventSchema`.
  @Suite struct OutsidePackageTests {
    @Test(.timeLimit(.minutes(15)))
    func aTinyOutsidePackageBuildsAndRunsWithTheLibraries() async throws {
      let folder = try temporaryFolder()
      defer { try? FileManager.default.removeItem(at: folder) }
      let template = packageRoot.appendingPathComponent("Tests/SystemTests/OutsidePackage")
      let sources = folder.appendingPathComponent("Sources/Consumer")
      try FileManager.default.createDirectory(at: sources, withIntermediateDirectories: true)
      try String(contentsOf: template.appendingPathComponent("Package.swift.template"), encoding: .utf8)
        .replacingOccurrences(of: "ORDERFLOW", with: packageRoot.path)
        .write(to: folder.appendingPathComponent("Package.swift"), atomically: true, encoding: .utf8)
      try FileManager.default.copyItem(
        at: template.appendingPathComponent("Sources/Consumer/main.swift.template"),
        to: sources.appendingPathComponent("main.swift"))

      let swift = try #require(ChildProcess.find("swift"))
      let built = try await ChildProcess.run(
        swift, ["run", "--package-path", folder.path, "Consumer"], environment: ["WARNINGS_AS_ERRORS": "0"],
        within: .seconds(840))

      #expect(built.status == 0, "\(built.output.suffix(4_000))")
      #expect(built.output.contains("orders 3 localhost:9092"))
    }
  }
}

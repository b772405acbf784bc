import FaultInjection
import Foundation
import Inventory
import Messaging
import MessagingKafka
import MessagingSQLite
import Notifications
import Orders
import ServiceDefaults
import TestSupport
import Testing

/// `docs/guarantees.md` says which test shows what; it must not say more than there is.
@Suite struct GuaranteesTests {
  @Test func everyTestThatIsNamedIsThere() throws {
    let named = try backticked(#/[a-z]+[A-Z][A-Za-z0-9]{12,}/#)
    let tests = try testFunctions()
    #expect(named.count > 60)
    #expect(named.subtracting(tests) == [])
  }

  @Test func everyMutationAndEveryFailpointIsExplained() throws {
    let named = try backticked(#/[a-z]+[.-][a-z.-]+/#)
    #expect(Set(Mutation.allCases.map(\.rawValue)).subtracting(named) == [])
    #expect(Set((Failpoint.all + Failpoint.mailer).map(\.rawValue)).subtracting(named) == [])
  }

  @Test func everyPitfallHasItsTest() throws {
    let rows = try guarantees().split(separator: "\n").filter { $0.contains(#/^\| [0-9]+ \|/#) }
    #expect(rows.compactMap { Int($0.dropFirst(2).prefix { $0.isNumber }) } == Array(1...36))
    for row in rows { #expect(row.contains("`"), "\(row)") }
  }

  private func guarantees() throws -> String {
    try String(contentsOf: packageRoot.appendingPathComponent("docs/guarantees.md"), encoding: .utf8)
  }

  /// The words in code marks that have this shape.
  private func backticked(_ shape: Regex<Substring>) throws -> Set<String> {
    Set(
      try guarantees().matches(of: #/`([^`\n]+)`/#).map { String($0.1) }
        .filter { $0.wholeMatch(of: shape) != nil })
  }

  private func testFunctions() throws -> Set<String> {
    let folder = packageRoot.appendingPathComponent("Tests")
    let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)?.compactMap { $0 as? URL }
    let sources = try #require(files).filter { $0.pathExtension == "swift" }
    return try sources.reduce(into: []) { names, file in
      let text = try String(contentsOf: file, encoding: .utf8)
      for match in text.matches(of: #/@Test(?s:.{0,400}?)func ([A-Za-z0-9]+)\(/#) { names.insert(String(match.1)) }
    }
  }
}

extension Failpoint {
  /// Every failpoint of every module.
  static let all = messaging + store + kafka + service + orders + inventory + notifications
}

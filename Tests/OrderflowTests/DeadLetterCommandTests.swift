import ArgumentParser
import Testing
import WireFormat

@testable import orderflow

@Suite struct DeadLetterCommandTests {
  @Test(
    arguments: [
      ("7", nil, 7), ("inventory-service/7", "inventory-service", 7), ("a/b/12", "a/b", 12),
    ] as [(String, String?, Int64)])
  func aDeadLetterIsNamedByItsGroupAndNumber(text: String, group: String?, id: Int64) throws {
    let name = try #require(DeadLetterName(argument: text))
    #expect(name == DeadLetterName(group: group, id: id))
    #expect(name.description == text)
  }

  @Test(arguments: ["", "x", "0", "-3", "/7", "group/", "group/x", "7.5", "group/7 ", "99999999999999999999"])
  func whatIsNoNameIsRefused(text: String) {
    #expect(DeadLetterName(argument: text) == nil)
  }

  @Test(arguments: [
    ["redrive"], ["redrive", "7", "--all"], ["redrive", "7", "--key", "o-1"], ["redrive", "--key", ""],
    ["redrive", "a/7", "--group", "b"], ["redrive", "seven"], ["redrive", "--all", "--rate", "0"],
    ["redrive", "--all", "--rate", "fast"], ["redrive", "--all", "--reason", ""], ["discard", "7"],
    ["discard", "--reason", "why"], ["discard", "7", "--reason", ""], ["list", "--status", "lost"],
    ["show"], ["show", "1", "2"], ["undo", "1"],
  ])
  func wrongUsageEndsWith64(arguments: [String]) {
    do {
      _ = try DeadLettersCommand.parseAsRoot(arguments)
      Issue.record("\(arguments) were accepted")
    } catch {
      #expect(DeadLettersCommand.exitCode(for: error).rawValue == 64)
    }
  }

  @Test(arguments: [
    ["redrive", "7"], ["redrive", "a/7", "8", "--group", "a"], ["redrive", "--all", "--rate", "0.5", "--dry-run"],
    ["redrive", "--key", "o-1", "--error", "x", "--group", "a"], ["redrive", "--group", "a"],
    ["discard", "--key", "o-1", "--reason", "why"], ["list"], ["list", "--status", "open", "--json"], ["show", "a/1"],
  ])
  func rightUsageIsAccepted(arguments: [String]) throws {
    _ = try DeadLettersCommand.parseAsRoot(arguments)
  }

  @Test(arguments: [
    ["replay", "--since", "yesterday"], ["replay", "--order", ""], ["replay", "--rate", "-1"], ["status", "x"],
  ])
  func wrongUsageOfTheOutboxEndsWith64(arguments: [String]) {
    do {
      _ = try OutboxCommand.parseAsRoot(arguments)
      Issue.record("\(arguments) were accepted")
    } catch {
      #expect(OutboxCommand.exitCode(for: error).rawValue == 64)
    }
  }

  @Test func whatIsParkedIsPutTogetherByOrder() throws {
    var orders: [ParkedOrder] = []
    let rows = [
      parked("o-1", 4, since: "2026-11-22T20:00:01.000Z", waitingFor: 3, deadLetter: 7),
      parked("o-1", 5, since: "2026-11-22T20:00:00.000Z", waitingFor: 3, deadLetter: 7),
      parked("o-2", 3, since: "2026-11-22T20:00:02.000Z", waitingFor: 2),
      parked("o-3", 2, since: "2026-11-22T20:00:03.000Z", waitingFor: 2),
    ]
    // Pages may end in the middle of an order.
    try ParkedOrder.collect(Array(rows[..<1]), of: "inventory-service", into: &orders)
    try ParkedOrder.collect(Array(rows[1...]), of: "inventory-service", into: &orders)

    #expect(
      orders.map(\.line) == [
        "inventory-service: order o-1, 2 events (versions 4 to 5), waiting behind inventory-service/7 since "
          + "2026-11-22T20:00:00.000Z",
        "inventory-service: order o-2, 1 event (version 3), waiting for version 2 since 2026-11-22T20:00:02.000Z",
        "inventory-service: order o-3, 1 event (version 2), about to be handled, since 2026-11-22T20:00:03.000Z",
      ])
    #expect(orders.map(\.isGap) == [false, true, false])
  }

  @Test func theSummaryCountsWhatCameOfIt() {
    var tally = DeadLetterTally()
    #expect(tally.summary == "nothing done")
    tally.add(DeadLetterName(group: "a", id: 1), .resolved)
    tally.add(DeadLetterName(group: "a", id: 2), .failedAgain, error: "broken")
    tally.add(DeadLetterName(group: "a", id: 3), .resolved)
    tally.addGap(of: "a", key: "o-1", versions: "version 2")
    #expect(tally.summary == "2 resolved, 1 failed again, 1 gap given up")
    let json = try? JSONValue(parsing: tally.jsonBytes).object
    #expect(json?["failed_again"]?.number?.int64 == 1)
    #expect(json?["dead_letters"]?.array?.last?.object?["id"]?.string == "a/3")
  }

  @Test func aSlowRateTakesSmallSteps() {
    #expect([nil, 0.2, 1, 7.9, 5000].map(ReplayOutbox.step) == [1000, 1, 1, 7, 1000])
  }

  @Test func aPaceKeepsItsRate() async throws {
    let start = ContinuousClock.now
    var pace = Pace(rate: 100)
    for _ in 1...11 { try await pace.wait() }
    #expect(ContinuousClock.now - start >= .milliseconds(100))
    var unlimited = Pace(rate: nil)
    for _ in 1...1000 { try await unlimited.wait() }
  }

  private func parked(
    _ order: String, _ version: Int, since: String, waitingFor: Int, deadLetter: Int? = nil
  ) -> JSONObject {
    let text = """
      {"order_id":"\(order)","order_version":\(version),"parked_at":"\(since)","waiting_for_version":\(waitingFor),
      "dead_letter_id":\(deadLetter.map(String.init) ?? "null")}
      """
    return (try? JSONValue(parsing: Array(text.utf8)))?.object ?? JSONObject()
  }
}

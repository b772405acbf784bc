import Foundation
import Testing

@testable import FaultInjection

@Suite("Failpoint plan")
struct FailpointPlanTests {
  @Test func rulesAreReadWithSubjectActionAndMoment() throws {
    let rules = try FailpointPlan.parse("order.committed=crash@3; relay.marks[abc]=delay(50)@2+;x=fail@10%;y=fail")
    #expect(
      rules == [
        Rule(failpoint: Failpoint("order.committed"), subject: nil, action: .crash, moment: .only(3)),
        Rule(failpoint: Failpoint("relay.marks"), subject: "abc", action: .delay(milliseconds: 50), moment: .from(2)),
        Rule(failpoint: Failpoint("x"), subject: nil, action: .fail, moment: .chance(percent: 10)),
        Rule(failpoint: Failpoint("y"), subject: nil, action: .fail, moment: .always),
      ])
  }

  @Test func aRuleForAProcessIsForItAlone() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let rules = try FailpointPlan.parse("OrderService:a=fail@1;a=fail@2")
    let others = FailpointPlan(rules: rules, firedFolder: folder, process: "InventoryService")
    let its = FailpointPlan(rules: rules, firedFolder: folder, process: "OrderService")

    try others.reach(Failpoint("a"), "")
    #expect(throws: InjectedFailure.self) { try its.reach(Failpoint("a"), "") }

    #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["OrderService:a"])
  }

  @Test(arguments: ["crash", "a=explode", "a=delay", "a=crash@", "a[b=crash", "a=crash(3)"])
  func whatIsNoRuleIsRefused(_ text: String) {
    #expect(throws: FailpointPlan.Malformed.self) { try FailpointPlan.parse(text) }
  }

  @Test func aRuleActsAtItsMomentAndItsSubjectOnly() throws {
    let plan = FailpointPlan(rules: try FailpointPlan.parse("a[s]=fail@2;b=fail@2+"))
    let (a, b) = (Failpoint("a"), Failpoint("b"))

    try plan.reach(a, "s")
    try plan.reach(a, "other")
    #expect(throws: InjectedFailure(failpoint: a)) { try plan.reach(a, "s") }
    try plan.reach(a, "s")
    try plan.reach(b, "")
    for _ in 0..<3 { #expect(throws: InjectedFailure.self) { try plan.reach(b, "") } }
  }

  @Test func aRuleWithANumberActsOnceOverAllPlansThatShareAFolder() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let rules = try FailpointPlan.parse("a=fail@1")

    #expect(throws: InjectedFailure.self) {
      try FailpointPlan(rules: rules, firedFolder: folder).reach(Failpoint("a"), "")
    }
    try FailpointPlan(rules: rules, firedFolder: folder).reach(Failpoint("a"), "")
    #expect(FileManager.default.fileExists(atPath: folder + "/a"))
  }

  @Test func aHandlerHearsOfItsOwnThreadOnly() throws {
    let point = Failpoint("point")
    try FaultInjection.withHandler { failpoint, subject in
      #expect(failpoint == point && subject == "s")
      throw InjectedFailure(failpoint: failpoint)
    } _: {
      #expect(throws: InjectedFailure.self) { try point.hit("s") }
      let other = Thread { try? point.hit("elsewhere") }
      other.start()
      while !other.isFinished { usleep(1000) }
    }
    try point.hit("s")
  }
}

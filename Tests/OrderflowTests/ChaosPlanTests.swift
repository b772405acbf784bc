import Messaging
import Testing
import WireFormat

@testable import orderflow

struct ChaosPlanTests {
  private let all = Set(FaultKind.allCases)

  @Test func theSameSeedMakesTheSamePlan() {
    for seed: UInt64 in 0..<50 {
      let plan = ChaosPlan(seed: seed, length: .seconds(60), kinds: all)
      #expect(plan == ChaosPlan(seed: seed, length: .seconds(60), kinds: all))
      #expect(plan.lines() == ChaosPlan(seed: seed, length: .seconds(60), kinds: all).lines())
    }
    let plans = (0..<50).map { ChaosPlan(seed: UInt64($0), length: .seconds(60), kinds: all) }
    #expect(Set(plans).count == 50)
  }

  @Test func aMinuteHasEveryKindOfFaultAndEachIsOverInTime() {
    for seed: UInt64 in 0..<50 {
      let plan = ChaosPlan(seed: seed, length: .seconds(60), kinds: all)
      #expect(Set(plan.steps.map(\.fault.kind)) == all, "seed \(seed)")
      #expect(plan.steps.allSatisfy { $0.time + $0.fault.length <= .seconds(60) })
      #expect(plan.steps.map(\.time) == plan.steps.map(\.time).sorted())
      #expect((plan.steps.first?.time ?? .zero) >= ChaosPlan.calmStart)
    }
  }

  @Test func twoFaultsNeverUseTheSameThingAtOnce() {
    for seed: UInt64 in 0..<50 {
      var busyUntil: [String: Duration] = [:]
      for step in ChaosPlan(seed: seed, length: .seconds(300), kinds: all).steps {
        guard let resource = step.fault.resource else { continue }
        #expect(busyUntil[resource].map { $0 <= step.time } ?? true, "seed \(seed): \(step)")
        busyUntil[resource] = step.time + step.fault.length
      }
    }
  }

  @Test func onlyTheKindsThatWereAskedForCome() {
    let plan = ChaosPlan(seed: 3, length: .seconds(120), kinds: [.kill, .copies])

    #expect(Set(plan.steps.map(\.fault.kind)) == [.kill, .copies])
    #expect(plan.steps.count > 50)
  }

  @Test func withoutKindsOrTimeThereIsNothing() {
    #expect(ChaosPlan(seed: 3, length: .seconds(60), kinds: []).steps.isEmpty)
    #expect(ChaosPlan(seed: 3, length: .seconds(2), kinds: all).steps.isEmpty)
  }

  @Test func mostPausesAreLongerThanASession() {
    let pauses = ChaosPlan(seed: 1, length: .seconds(3_600), kinds: [.pause]).steps.map(\.fault.length)

    #expect(pauses.count { $0 > .seconds(6) } > pauses.count / 3)
    #expect(pauses.contains { $0 < .seconds(3) })
  }

  @Test func aChoiceFallsOnAProcessOfItsServiceWhateverTheirNumber() {
    for instances in 1...5 {
      let plans = ServicePlan.stack(portBase: 8080, instances: instances, free: Array(100...200))
      for draw in 0..<60 {
        let chosen = ProcessChoice(service: ServiceName.inventory, draw: draw).plan(among: plans)
        #expect(chosen?.service == ServiceName.inventory)
      }
    }
    #expect(ProcessChoice(service: "nobody", draw: 1).plan(among: []) == nil)
  }

  @Test(arguments: Garbage.allCases)
  func noGarbageClaimsToBeOurs(garbage: Garbage) {
    let record = garbage.record(topic: "orders", seed: 5)
    let sources = record.headers.filter { $0.name == "ce_source" }

    #expect(sources.isEmpty)
    #expect(record.topic == (garbage == .foreignAnswer ? "inventory" : "orders"))
  }
}

struct ChaosLedgerTests {
  private func offenders(
    _ orders: [LedgerIsKept.Order], _ note: (ChaosLedger) -> Void
  ) -> [String] {
    let ledger = ChaosLedger()
    note(ledger)
    return LedgerIsKept.check(ledger.now, orders, number: 7).offenders.first
  }

  private func order(_ id: String, _ customer: String, _ status: String = "CONFIRMED") -> LedgerIsKept.Order {
    LedgerIsKept.Order(id: id, customer: customer, status: status)
  }

  @Test func anAcceptedOrderHasToBeThereOnce() {
    #expect(offenders([order("a", "c")]) { $0.note(.accepted("a"), of: "c") } == [])
    #expect(
      offenders([]) { $0.note(.accepted("a"), of: "c") } == ["order a was accepted and is not there"])
    #expect(
      offenders([order("a", "c"), order("b", "c")]) { $0.note(.accepted("a"), of: "c") }
        == ["one request made 2 orders: a, b"])
  }

  @Test func aRequestWithoutAnAnswerMayBeThereOnceOrNotAtAll() {
    #expect(offenders([]) { $0.note(.perhaps, of: "c") } == [])
    #expect(offenders([order("a", "c")]) { $0.note(.perhaps, of: "c") } == [])
    #expect(
      offenders([order("a", "c"), order("b", "c")]) { $0.note(.perhaps, of: "c") }
        == ["one request made 2 orders: a, b"])
  }

  @Test func whatWasRefusedIsNotThere() {
    #expect(offenders([]) { $0.note(.refused, of: "c") } == [])
    #expect(
      offenders([order("a", "c")]) { $0.note(.refused, of: "c") } == ["order a was refused and is there"])
    #expect(offenders([order("a", "x")]) { _ in } == ["order a of x was asked for by nobody"])
  }

  @Test func aCancellationThatWasGrantedHolds() {
    func cancelled(_ status: String, _ answers: ChaosLedger.Cancellation...) -> [String] {
      offenders([order("a", "c", status)]) { ledger in
        ledger.note(.accepted("a"), of: "c")
        for answer in answers { ledger.noteCancellation(answer, of: "a") }
      }
    }
    #expect(cancelled("CANCELLED", .granted, .perhaps) == [])
    #expect(cancelled("CONFIRMED", .granted) == ["order a was cancelled and is CONFIRMED"])
    #expect(cancelled("CONFIRMED", .tooLate) == ["order a could not be cancelled any more and is CONFIRMED"])
    #expect(cancelled("REJECTED", .tooLate) == [])
    #expect(cancelled("CONFIRMED", .perhaps) == [])
  }

  @Test func anEndThatNoFaultExplainsIsABreak() {
    let plan = ServicePlan(service: "OrderService", instance: 1, port: 1)
    func check(_ exit: ChildProcess.Exit, harmed: FaultRecord.Harm?, isDiskFull: Bool = false) -> Int {
      let record = FaultRecord()
      if let harmed { record.note(harmed, to: 7) }
      if isDiskFull { record.diskIsFull() }
      record.note(ProcessEnd(plan: plan, process: 7, startedAt: .now, exit: exit, lastLines: ["Fatal error"]))
      return NobodyDiedByItself.check(record.now, number: 9).offenders.count
    }

    #expect(check(.killed(signal: 9), harmed: .killed) == 0)
    #expect(check(.killed(signal: 9), harmed: nil) == 1)
    #expect(check(.exited(0), harmed: .asked) == 0)
    #expect(check(.exited(0), harmed: nil) == 1)
    #expect(check(.exited(1), harmed: .asked) == 1)
    #expect(check(.killed(signal: 4), harmed: .killed) == 1)
    #expect(check(.exited(1), harmed: nil, isDiskFull: true) == 0)
    #expect(check(.exited(1), harmed: nil) == 1)
  }

  @Test func aStartThatFailedOnAFullDiskIsExplainedAlsoAfterThereIsRoom() {
    let plan = ServicePlan(service: "OrderService", instance: 1, port: 1)
    let record = FaultRecord()
    func end(startedAt start: ContinuousClock.Instant) -> Int {
      record.note(ProcessEnd(plan: plan, process: 7, startedAt: start, exit: .exited(1), lastLines: []))
      return NobodyDiedByItself.check(record.now, number: 9).offenders.count
    }

    record.diskIsFull()
    let whileFull = ContinuousClock.now
    record.diskHasRoom()
    #expect(end(startedAt: whileFull) == 0)
    #expect(end(startedAt: .now) == 1)
  }
}

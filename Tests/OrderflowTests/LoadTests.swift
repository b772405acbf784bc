import Testing
import WireFormat

@testable import orderflow

struct LoadTests {
  private let plan = LoadPlan(
    orders: 100, pace: .openLoop(ordersPerSecond: 200), concurrency: 4, customers: 3, products: 2)

  @Test func ordersOfAnOpenLoopAreDueAtFixedMoments() {
    #expect(plan.dueTime(of: 0) == .zero)
    #expect(plan.dueTime(of: 100) == .milliseconds(500))
    var closed = plan
    closed.pace = .closedLoop
    #expect(closed.dueTime(of: 5) == nil)
  }

  @Test func anOrderOfALoadIsAlwaysTheSameAndHasNoProductTwice() throws {
    for number in 0..<100 {
      let order = try plan.order(number)
      #expect(try order == plan.order(number))
      #expect((1...2).contains(order.items.count))
      #expect(Set(order.items.map(\.product)).count == order.items.count)
      #expect(order.items.allSatisfy { (1...LoadPlan.largestQuantity).contains($0.quantity) })
    }
    #expect(Set(try (0..<100).map { try plan.order($0).customer }).count == 3)
  }

  private func ends(_ change: (inout LoadEnds.Order) -> Void) -> LoadEnds {
    let start = Timestamp(millisecondsSinceEpoch: 1_000_000)
    var ends = LoadEnds()
    for id in ["a", "b"] {
      ends.orders[id] = LoadEnds.Order(
        createdAt: start, status: "CONFIRMED", settledAt: start + .milliseconds(40),
        reservedAt: start + .milliseconds(20), mailedAt: start + .milliseconds(60))
    }
    change(&ends.orders["b"]!)
    return ends
  }

  @Test func whatIsMissingOnTheWayIsNamed() {
    #expect(ends { _ in }.missing.count == 0)
    #expect(ends { $0.status = nil }.missing.first == ["order b was accepted and is not there"])
    #expect(ends { $0.status = "PENDING" }.missing.first == ["order b is still PENDING"])
    #expect(ends { $0.reservedAt = nil }.missing.first == ["order b has no reservation"])
    #expect(ends { $0.mailedAt = nil }.missing.first == ["order b has no mail ORDER_CONFIRMED"])
    #expect(
      ends {
        $0.status = "CANCELLED"
        $0.reservedAt = nil
      }.missing.count == 0)
  }

  @Test func theReportTimesEachStretchFromTheOrder() {
    var intake = LoadIntake()
    intake.latencies.record(.milliseconds(3))
    intake.elapsed = .seconds(1)
    let report = LoadReport(plan: plan, intake: intake, ends: ends { _ in })

    #expect(report.holds)
    #expect(report.stretches.map(\.latencies.maximum.milliseconds) == [3, 20, 40, 60])
    #expect(report.wholeWay == .milliseconds(60))
    let json = try? JSONValue(parsing: report.jsonBytes).object
    #expect(json?["latency_ms"]?.object?["final_email"]?.object?["p99"]?.number?.text == "60.000")
  }

  @Test func aBarIsFullAtTheEndAndALineHasNone() {
    let bar = ProgressBar.picture("placing", done: 5_000, of: 5_000, note: "812/s", isBar: true)
    #expect(bar == "placing  [####################]  5,000 of 5,000  812/s")
    let line = ProgressBar.picture("placing", done: 1, of: 4, note: "", isBar: false)
    #expect(line == "placing  1 of 4")
  }
}

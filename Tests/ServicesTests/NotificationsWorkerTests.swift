import EventSchema
import Messaging
import Testing
import WireFormat

@testable import Notifications

/// The events of orders through the real worker and inbox.
@Suite struct NotificationsWorkerTests {
  @Test(.timeLimit(.minutes(2)))
  func everyOrderOfArrivalAndEveryRedeliveryMakesOneMailAKind() async throws {
    let fixture = try NotificationsFixture()
    var expected: Set<String> = []
    var events: [Event] = []
    for (number, places) in permutations(of: [0, 1, 2, 3, 4]).enumerated() {
      let order = try OrderScript("order-\(number)", [("keyboard", 3)])
      let (created, confirmed, cancelled) = (order.created(), order.confirmed(), order.cancelled(version: 3))
      let deliveries = [created, confirmed, cancelled, created, cancelled]
      events += places.map { deliveries[$0] }
      expected.formUnion(["CREATED", "CONFIRMED", "CANCELLED"].map { "order-\(number) ORDER_\($0)" })
    }

    let broker = fixture.broker
    try broker.produce(events)
    try await running(fixture.services) { [expected] () async throws in
      #expect(await broker.everyOrderEventIsConsumed(by: "notification-service"))
      let mails = try await fixture.mails()
      #expect(mails.count == expected.count)
      #expect(Set(mails) == expected)
      // Whatever the order of arrival, an order's mails are written in the order of its steps.
      #expect(
        mails.filter { $0.hasPrefix("order-77 ") } == [
          "order-77 ORDER_CANCELLED", "order-77 ORDER_CONFIRMED", "order-77 ORDER_CREATED",
        ])
    }
  }

  @Test(.timeLimit(.minutes(2)))
  func whatCannotBeReadIsADeadLetterAndHoldsUpNobody() async throws {
    let fixture = try NotificationsFixture()
    let broker = fixture.broker

    try broker.produce(key: "order-1", value: #"{"event_type":"ORDER_CREATED","order_id":"order-1"}"#)
    try broker.produce([try OrderScript("order-1", [("keyboard", 1)]).created()])
    try await running(fixture.services) { () async throws in
      #expect(await broker.everyOrderEventIsConsumed(by: "notification-service"))
      #expect(await broker.hasRecords(1, of: "orders-dlq"))
      #expect(try await fixture.mails() == ["order-1 ORDER_CREATED"])
    }
  }
}

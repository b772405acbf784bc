import EventSchema
import GRDB
import Messaging
import Testing
import WireFormat

@testable import Inventory

/// The events of orders through the real worker, inbox and relay.
@Suite struct InventoryWorkerTests {
  @Test(.timeLimit(.minutes(2)))
  func everyOrderOfArrivalAndEveryRedeliveryEndsInTheSameState() async throws {
    let fixture = try InventoryFixture()
    try await fixture.stock("keyboard", 100_000)
    var orders: [String] = []
    var events: [Event] = []
    for (number, places) in permutations(of: [0, 1, 2, 3, 4]).enumerated() {
      let order = try OrderScript("order-\(number)", [("keyboard", 3)])
      let (created, confirmed, cancelled) = (order.created(), order.confirmed(), order.cancelled(version: 3))
      let deliveries = [created, confirmed, cancelled, created, cancelled]
      events += places.map { deliveries[$0] }
      orders.append("order-\(number)")
    }

    let broker = fixture.broker
    try broker.produce(events)
    try await running(fixture.services) { [orders] () async throws in
      #expect(await broker.everyOrderEventIsConsumed(by: "inventory-service"))
      #expect(await broker.hasRecords(2 * 120, of: Topics.inventory))
      for order in orders {
        #expect(try await fixture.reservation(order)?.status == .released, "\(order)")
      }
      #expect(try await fixture.product("keyboard").reserved == 0)
      #expect(try await fixture.productsOutOfBalance().isEmpty)
    }

    let told = try answers(on: broker)
    #expect(Set(told.keys) == Set(orders))
    #expect(told.values.allSatisfy { $0 == [.inventoryReserved, .inventoryReleased] })
  }

  @Test(.timeLimit(.minutes(2)))
  func anAnswerIsPublishedWithTheVersionAndTheSourceOfItsService() async throws {
    let fixture = try InventoryFixture()
    try await fixture.stock("keyboard", 1)
    let broker = fixture.broker

    try broker.produce([
      try OrderScript("order-1", [("keyboard", 1)]).created(), try OrderScript("order-2", [("keyboard", 1)]).created(),
    ])
    try await running(fixture.services) { () async throws in
      #expect(await broker.hasRecords(2, of: Topics.inventory))
    }

    for record in broker.records(of: Topics.inventory) {
      let headers = Dictionary(record.headers.map { ($0.name, $0.value ?? []) }) { first, _ in first }
      #expect(headers["ce_source"] == Array(InventoryApplication.identity.eventSource.utf8))
      guard case .event(let event) = EventCodec.decode(key: record.key, value: record.value) else {
        Issue.record("unreadable")
        continue
      }
      #expect(event.envelope.orderVersion == 1)
      #expect(headers["ce_id"] == Array(event.envelope.eventID.rawValue.utf8))
    }
  }

  @Test(.timeLimit(.minutes(2)))
  func whatCannotBeReadIsADeadLetterAndHoldsUpNobody() async throws {
    let fixture = try InventoryFixture()
    try await fixture.stock("keyboard", 10)
    let broker = fixture.broker

    for (key, value) in [
      ("order-1", nil), ("order-1", ""), ("order-1", "no json"), (nil, "{}"), ("k", #"{"event_type":"ORDER_CREATED"}"#),
    ] as [(String?, String?)] {
      try broker.produce(key: key, value: value)
    }
    try broker.produce(key: "order-1", value: #"{"event_type":"SOMETHING_ELSE"}"#)
    try broker.produce([try OrderScript("order-1", [("keyboard", 1)]).created()])
    try await running(fixture.services) { () async throws in
      #expect(await broker.everyOrderEventIsConsumed(by: "inventory-service"))
      #expect(await broker.hasRecords(5, of: "orders-dlq"))
      #expect(try await fixture.reservation("order-1")?.status == .reserved)
    }

    #expect(broker.records(of: "orders-dlq").count == 5)
  }

  /// The types of the events on `inventory`, by order.
  private func answers(on broker: InMemoryBroker) throws -> [String: [EventType]] {
    var types: [String: [EventType]] = [:]
    for record in broker.records(of: Topics.inventory) {
      guard case .event(let event) = EventCodec.decode(key: record.key, value: record.value) else {
        Issue.record("unreadable")
        continue
      }
      types[event.envelope.orderID.rawValue, default: []].append(event.type)
    }
    return types
  }
}

func permutations<Element>(of elements: [Element]) -> [[Element]] {
  guard let first = elements.first else { return [[]] }
  return permutations(of: Array(elements.dropFirst())).flatMap { rest in
    (0...rest.count).map { index in Array(rest[..<index]) + [first] + Array(rest[index...]) }
  }
}

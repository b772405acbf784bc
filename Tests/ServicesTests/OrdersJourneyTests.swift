import EventSchema
import Logging
import Messaging
import MessagingSQLite
import ServiceLifecycle
import TestSupport
import Testing
import WireFormat

@testable import Orders

/// OrderService with its relay and its consumer at work, over the broker in memory.
@Suite(.timeLimit(.minutes(2))) struct OrdersJourneyTests {
  private func running<Result: Sendable>(
    _ fixture: OrdersFixture, _ body: @escaping @Sendable () async throws -> Result
  ) async throws -> Result {
    let group = ServiceGroup(
      services: fixture.services, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    async let run: Void = group.run()
    let result: Swift.Result<Result, any Error>
    do {
      result = .success(try await deadline(.seconds(60), "the test's body", body))
    } catch {
      result = .failure(error)
    }
    await group.triggerGracefulShutdown()
    try await run
    return try result.get()
  }

  /// Writes a record as InventoryService does.
  private func answer(_ payload: EventPayload, about orderID: OrderID, in broker: InMemoryBroker) throws -> Event {
    let now = Timestamp.now()
    let event = Event(
      envelope: EventEnvelope(
        eventID: EventID.next(from: UUIDv7Generator(), at: now), orderID: orderID, orderVersion: 1, timestamp: now),
      payload: payload)
    let producer = try broker.makeProducer()
    defer { producer.close(timeout: .seconds(1)) }
    let message = OutgoingMessage(topic: Topics.inventory, key: event.key, value: event.encoded())
    #expect(try producer.enqueue([(token: 1, message: message)]) == 1)
    return event
  }

  private func records(_ count: Int, of topic: String, in broker: InMemoryBroker) async throws -> [ConsumedRecord] {
    try await eventually("\(count) records of \(topic)", every: .milliseconds(5)) {
      let records = broker.records(of: topic)
      return records.count >= count ? records : nil
    }
  }

  @Test func anOrderIsToldAnsweredAndSettledAndItsTimelineShowsIt() async throws {
    let fixture = try OrdersFixture()

    try await running(fixture) {
      try await fixture.http { client in
        let placed = try await client.post("/orders", validOrder())
        let id = try #require(placed["order_id"]?.string.flatMap { OrderID($0) })
        let created = try #require(try await records(1, of: Topics.orders, in: fixture.broker).first)
        #expect(created.key.map { String(decoding: $0, as: UTF8.self) } == id.rawValue)
        #expect(
          created.headers.contains(Header("ce_type", "ORDER_CREATED"))
            && created.headers.contains(Header("ce_source", OrderApplication.identity.eventSource)))

        async let settled = client.get("/orders/\(id)?wait=60&until=settled")
        let reservation = try answer(try reserved(), about: id, in: fixture.broker)
        #expect(try await settled["status"]?.string == "CONFIRMED")
        _ = try await records(2, of: Topics.orders, in: fixture.broker)

        let steps = try await eventually("everything marked as published", every: .milliseconds(5)) {
          let steps = try await client.get("/orders/\(id)/timeline")["steps"]?.array?.compactMap(\.object) ?? []
          return steps.contains { $0["status"]?.string == "waiting" } ? nil : steps
        }
        #expect(steps.map { $0["event_type"]?.string } == ["ORDER_CREATED", "INVENTORY_RESERVED", "ORDER_CONFIRMED"])
        #expect(steps.map { $0["direction"]?.string } == ["published", "consumed", "published"])
        #expect(steps.map { $0["topic"]?.string } == ["orders", "inventory", "orders"])
        #expect(steps.map { $0["status"]?.string } == ["published", "processed", "published"])
        #expect(steps[1]["event_id"]?.string == reservation.envelope.eventID.rawValue)
        #expect(steps[1]["attempt"]?.number?.int64 == 1)
        #expect(steps.allSatisfy { $0["partition"]?.number?.int64 != nil && $0["offset"]?.number?.int64 != nil })
        #expect(steps.map { $0["at"]?.string ?? "" } == steps.map { $0["at"]?.string ?? "" }.sorted())
      }
    }
  }

  @Test func ordersAreTakenWithoutABrokerAndToldWhenItIsBack() async throws {
    let fixture = try OrdersFixture()
    fixture.broker.takeDown()

    try await running(fixture) {
      try await fixture.http { client in
        let placed = try await client.post("/orders", validOrder())
        #expect(placed.status == 201)
        let id = try #require(placed["order_id"]?.string)
        let timeline = try await client.get("/orders/\(id)/timeline")
        let step = timeline["steps"]?.array?.first?.object
        #expect(step?["status"]?.string == "waiting" && step?["partition"]?.isNull == true)
        #expect(try await client.get("/ready").status == 200)

        fixture.broker.bringUp()
        let told = try await records(1, of: Topics.orders, in: fixture.broker)
        #expect(told.first?.key.map { String(decoding: $0, as: UTF8.self) } == id)
      }
    }
  }

  @Test func anAnswerForAnUnknownOrderIsADeadLetterAndHoldsUpNobody() async throws {
    let fixture = try OrdersFixture()

    try await running(fixture) {
      try await fixture.http { client in
        let unknown = try #require(OrderID("nobody-1"))
        _ = try answer(try reserved(), about: unknown, in: fixture.broker)
        let letter = try #require(try await records(1, of: "inventory-dlq", in: fixture.broker).first)
        #expect(String(decoding: letter.value ?? [], as: UTF8.self).contains("UNKNOWN_ORDER"))

        let placed = try await client.post("/orders", validOrder())
        let id = try #require(placed["order_id"]?.string.flatMap { OrderID($0) })
        _ = try answer(rejected(), about: id, in: fixture.broker)
        let settled = try await client.get("/orders/\(id)?wait=60&until=settled")
        #expect(settled["status"]?.string == "REJECTED")
      }
    }
  }

  @Test func anAnswerThatComesTwiceSettlesOnce() async throws {
    let fixture = try OrdersFixture()

    try await running(fixture) {
      let order = try await fixture.place()
      let event = try answer(try reserved(), about: order.id, in: fixture.broker)
      let producer = try fixture.broker.makeProducer()
      let copy = OutgoingMessage(topic: Topics.inventory, key: event.key, value: event.encoded())
      #expect(try producer.enqueue([(token: 1, message: copy), (token: 2, message: copy)]) == 2)
      #expect(
        try await eventually("all consumed", every: .milliseconds(5)) {
          fixture.broker.committed(group: "order-service").values.reduce(0, +) == 3 ? true : nil
        })

      #expect(try await fixture.order(order.id).version == 2)
      #expect(try await fixture.told().map(\.type) == [.orderCreated, .orderConfirmed])
    }
  }
}

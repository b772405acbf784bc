import EventSchema
import Testing
import WireFormat

@Suite struct EventTests {
  @Test func everyTypeHasItsTopic() {
    #expect(EventType.allCases.filter { $0.topic == "orders" }.count == 4)
    #expect(EventType.allCases.filter { $0.topic == "inventory" }.count == 3)
    #expect(EventType.allCases.allSatisfy { $0.rawValue.hasPrefix($0.topic == "orders" ? "ORDER_" : "INVENTORY_") })
    #expect(EventType.allCases.allSatisfy { $0.schemaVersion == 1 })
    #expect(Topics.all == ["orders", "inventory", "orders-dlq", "inventory-dlq"])
  }

  @Test func headersFollowTheKafkaBindingOfCloudEvents() throws {
    let event = try Samples.sample(of: .orderCreated)

    let headers = event.cloudEventHeaders(source: "/order-service", trace: nil)

    #expect(
      headers.map { "\($0.name)=\($0.value)" } == [
        "ce_specversion=1.0", "ce_id=019aad8c-3f11-7000-8000-000000000001", "ce_type=ORDER_CREATED",
        "ce_source=/order-service", "ce_time=2026-11-22T20:21:07.123Z", "content-type=application/json",
      ])
  }

  @Test func aTraceparentIsPassedOn() throws {
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    let trace = try #require(TraceContext(traceparent: traceparent))

    let headers = try Samples.sample(of: .inventoryReserved).cloudEventHeaders(source: "/x", trace: trace)

    #expect(headers.last?.name == "traceparent")
    #expect(headers.last?.value == traceparent)
  }

  @Test func theKeyIsTheOrderID() throws {
    let event = try Samples.sample(of: .orderCreated)

    #expect(String(decoding: event.key, as: UTF8.self) == event.envelope.orderID.rawValue)
  }
}

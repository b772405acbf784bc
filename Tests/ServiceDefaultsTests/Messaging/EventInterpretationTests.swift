import EventSchema
import Messaging
import ServiceDefaults
import Testing
import WireFormat

@Suite struct EventInterpretationTests {
  private let interpretation = EventInterpretation(handling: [.orderCreated, .inventoryReserved])

  @Test func aHandledEventComesWithItsPlaceAmongTheVersions() throws {
    let event = try orderCreated(version: 3)
    guard case .event(let identity, let read) = interpretation.interpret(record(event)) else {
      Issue.record("not an event")
      return
    }
    #expect(read == event)
    #expect(identity == EventIdentity(eventID: "event-1", eventType: "ORDER_CREATED", key: "order-1", version: 3))
  }

  @Test func anEventThatNobodyHandlesKeepsItsPlaceOnOrders() throws {
    let nothing = EventInterpretation(handling: [])
    guard case .withoutEffect(let identity) = nothing.interpret(record(try orderCreated(version: 2))) else {
      Issue.record("not without effect")
      return
    }
    #expect(identity.version == 2 && identity.key == "order-1")
  }

  @Test func onInventoryNothingHasAPlace() throws {
    let event = try inventoryReserved()
    guard case .event(let identity, _) = interpretation.interpret(record(event)) else {
      Issue.record("not an event")
      return
    }
    #expect(identity.version == nil)
    guard case .ignored("INVENTORY_RESERVED") = EventInterpretation(handling: []).interpret(record(event)) else {
      Issue.record("not ignored")
      return
    }
  }

  @Test func anUnknownTypeKeepsItsPlaceWhereItHasOne() {
    let value = #"{"event_id":"e","event_type":"ORDER_SHIPPED","order_id":"o","order_version":4,"schema_version":9}"#
    guard case .withoutEffect(let identity) = interpretation.interpret(raw("orders", key: "o", value)) else {
      Issue.record("not without effect")
      return
    }
    #expect(identity == EventIdentity(eventID: "e", eventType: "ORDER_SHIPPED", key: "o", version: 4))
    let bare = #"{"event_type":"SOMETHING"}"#
    guard case .ignored("SOMETHING") = interpretation.interpret(raw("orders", key: nil, bare)) else {
      Issue.record("not ignored")
      return
    }
  }

  @Test func whatCannotBeReadSaysWhy() {
    for value in ["", "nonsense", #"{"order_id":"o","event_type":"ORDER_CREATED"}"#] {
      guard case .unreadable(let record) = interpretation.interpret(raw("orders", key: "o", value)) else {
        Issue.record("readable: \(value)")
        continue
      }
      #expect(!record.reason.isEmpty)
    }
  }

  @Test func anOutboxMessageIsTheRecordThatReadersExpect() throws {
    let event = try orderCreated(version: 1)
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    let trace = try #require(TraceContext(traceparent: traceparent))

    let message = OutboxMessage(event: event, source: "/example-service", trace: trace)

    #expect(message.eventID == "event-1" && message.eventType == "ORDER_CREATED")
    #expect(message.message.topic == "orders" && message.message.key == Array("order-1".utf8))
    #expect(message.message.headers.contains(Header("ce_id", "event-1")))
    #expect(message.message.headers.contains(Header("ce_source", "/example-service")))
    #expect(message.message.headers.contains(Header("traceparent", traceparent)))
  }

  private func record(_ event: Event) -> ConsumedRecord {
    raw(event.topic, key: event.envelope.orderID.rawValue, String(decoding: event.encoded(), as: UTF8.self))
  }

  private func raw(_ topic: String, key: String?, _ value: String) -> ConsumedRecord {
    ConsumedRecord(
      topicPartition: TopicPartition(topic, 0), offset: 0, key: key.map { Array($0.utf8) }, value: Array(value.utf8))
  }
}

func orderCreated(order: String = "order-1", event: String = "event-1", version: Int64) throws -> Event {
  Event(
    envelope: EventEnvelope(
      eventID: try #require(EventID(event)), orderID: try #require(OrderID(order)), orderVersion: version,
      timestamp: Timestamp(millisecondsSinceEpoch: 1_795_378_867_123)),
    payload: .orderCreated(
      OrderCreated(
        customerID: try #require(CustomerID("ada")),
        items: [
          OrderItem(productID: try #require(ProductID("keyboard")), quantity: 2, unitPrice: Money(minorUnits: 4990))
        ], total: Money(minorUnits: 9980))))
}

func inventoryReserved() throws -> Event {
  Event(
    envelope: EventEnvelope(
      eventID: try #require(EventID("event-2")), orderID: try #require(OrderID("order-1")), orderVersion: 1,
      timestamp: Timestamp(millisecondsSinceEpoch: 1_795_378_867_123)),
    payload: .inventoryReserved(
      InventoryReserved(
        reservationID: try #require(ReservationID("reservation-1")),
        items: [ReservedItem(productID: try #require(ProductID("keyboard")), quantity: 2)])))
}

import EventSchema
import HTTPTypes
import Messaging
import ServiceLifecycle
import TestSupport
import Testing
import WireFormat

@testable import Orders

/// Pitfall 28: an event belongs to the trace of the request that it came about in, however late it is published, and
/// whatever is published with it; and so does what follows from it in other services.
@Suite(.timeLimit(.minutes(2))) struct TracesTests {
  private static let traceparents = [
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
  ]

  @Test func twoRequestsInOneRelayBatchKeepTheirTracesToTheEnd() async throws {
    let services = try await TwoServices()
    // Both wait in the outbox when the relay begins: it reads them together.
    let orders = try await services.place(Self.traceparents)

    try await running(services.all) {
      #expect(await services.broker.hasRecords(4, of: Topics.orders))
      #expect(await services.broker.hasRecords(2, of: Topics.inventory))
    }

    for (order, traceparent) in zip(orders, Self.traceparents) {
      let told = services.traces(of: order)
      #expect(told.map(\.type) == ["ORDER_CREATED", "ORDER_CONFIRMED", "INVENTORY_RESERVED"])
      let request = try #require(TraceContext(traceparent: traceparent))
      #expect(told.allSatisfy { $0.trace?.traceID == request.traceID && $0.trace?.flags == request.flags })
      #expect(Set(told.map { $0.trace?.parentID } + [request.parentID]).count == 4)
    }
  }

  @Test func aCancellationAndWhatItReleasesAreOneTrace() async throws {
    let services = try await TwoServices()
    let order = try #require(try await services.place([Self.traceparents[0]]).first)

    try await running(services.all) {
      #expect(await services.broker.hasRecords(2, of: Topics.orders))
      let cancelled = try await services.orders.http { client in
        try await client.post("/orders/\(order)/cancel", headers: [traceparent: Self.traceparents[1]])
      }
      #expect(cancelled.status == 200)
      #expect(await services.broker.hasRecords(2, of: Topics.inventory))
    }

    let request = try #require(TraceContext(traceparent: Self.traceparents[1]))
    let told = services.traces(of: order).filter { $0.trace?.traceID == request.traceID }
    #expect(told.map(\.type) == ["ORDER_CANCELLED", "INVENTORY_RELEASED"])
    #expect(Set(told.map { $0.trace?.parentID } + [request.parentID]).count == 3)
  }

  @Test func aRejectionGoesOnWithTheTraceOfItsOrder() async throws {
    let services = try await TwoServices(stock: 0)
    let order = try #require(try await services.place([Self.traceparents[0]]).first)

    try await running(services.all) { #expect(await services.broker.hasRecords(2, of: Topics.orders)) }

    let request = try #require(TraceContext(traceparent: Self.traceparents[0]))
    let told = services.traces(of: order)
    #expect(told.map(\.type) == ["ORDER_CREATED", "ORDER_REJECTED", "INVENTORY_REJECTED"])
    #expect(told.allSatisfy { $0.trace?.traceID == request.traceID })
  }

  @Test func aRequestWithoutAValidTraceparentBeginsATrace() async throws {
    let services = try await TwoServices()
    let orders = try await services.place([nil, "not-a-trace", "\(Self.traceparents[0])-more"])

    try await running(services.all) { #expect(await services.broker.hasRecords(6, of: Topics.orders)) }

    let traces = orders.map { order in Set(services.traces(of: order).map { $0.trace?.traceID }) }
    #expect(traces.allSatisfy { $0.count == 1 && !$0.contains(nil) })
    #expect(Set(traces).count == 3)
  }

  @Test func aRepeatedAttemptTellsNothingInItsOwnTrace() async throws {
    let services = try await TwoServices()
    let answers = try await services.orders.http { client in
      try await [
        client.post("/orders", validOrder(), headers: [.idempotencyKey: "k", traceparent: Self.traceparents[0]]),
        client.post("/orders", validOrder(), headers: [.idempotencyKey: "k", traceparent: Self.traceparents[1]]),
      ]
    }
    #expect(answers[1].body == answers[0].body)
    #expect(try await services.orders.told().map(\.type) == [.orderCreated])

    try await running(services.all) { #expect(await services.broker.hasRecords(2, of: Topics.orders)) }

    let order = try #require(answers[0]["order_id"]?.string)
    let request = try #require(TraceContext(traceparent: Self.traceparents[0]))
    #expect(services.traces(of: order).allSatisfy { $0.trace?.traceID == request.traceID })
  }
}

private let traceparent = HTTPField.Name("traceparent")!

/// OrderService and InventoryService over one broker.
private struct TwoServices: Sendable {
  let broker: InMemoryBroker
  let orders: OrdersFixture
  let inventory: InventoryFixture

  init(stock: Int64 = 100) async throws {
    broker = InMemoryBroker(topics: Dictionary(uniqueKeysWithValues: Topics.all.map { ($0, 2) }))
    orders = try OrdersFixture(broker: broker)
    inventory = try InventoryFixture(broker: broker)
    try await inventory.stock("keyboard", stock)
  }

  var all: [any Service] { orders.services + inventory.services }

  /// Places an order for each.
  func place(_ traceparents: [String?]) async throws -> [String] {
    try await orders.http { client in
      var orders: [String] = []
      for value in traceparents {
        let headers: HTTPFields = value.map { [traceparent: $0] } ?? [:]
        orders.append(
          try #require(try await client.post("/orders", validOrder(), headers: headers)["order_id"]?.string))
      }
      return orders
    }
  }

  /// What was published about an order: first what the order says, then what the inventory says.
  func traces(of order: String) -> [(type: String, trace: TraceContext?)] {
    [Topics.orders, Topics.inventory].flatMap { broker.records(of: $0) }
      .filter { $0.key == Array(order.utf8) }
      .map { record in
        let headers = Dictionary(
          record.headers.map { ($0.name, String(decoding: $0.value ?? [], as: UTF8.self)) }
        ) { _, _ in "twice" }
        return (headers["ce_type"] ?? "", headers["traceparent"].flatMap(TraceContext.init(traceparent:)))
      }
  }
}

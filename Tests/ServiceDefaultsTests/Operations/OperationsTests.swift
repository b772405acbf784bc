import EventSchema
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Messaging
import MessagingSQLite
import ServiceLifecycle
import TestSupport
import Testing
import WireFormat

@testable import ServiceDefaults

@Suite struct OperationsTests {
  @Test func aServiceIsReadyOnceItHasAnAssignment() async throws {
    let service = try ExampleService(broker: InMemoryBroker())
    try await service.answer { client in
      #expect(try await client.get("/health").status == .ok)
      let before = try await client.get("/ready")
      #expect(before.status == .serviceUnavailable)
      #expect(before.headers[.contentType] == "application/problem+json")
      let problem = try before.json()
      #expect(problem["detail"]?.string?.hasPrefix("kafka: ") == true)
      #expect(problem["ready"]?.bool == false && problem["status"]?.number?.int64 == 503)
    }
    try await service.run { client in
      let ready = try await eventually("readiness") {
        let answer = try await client.get("/ready")
        return answer.status == .ok ? try answer.json() : nil
      }
      #expect(ready["ready"]?.bool == true)
      #expect(ready["kafka"]?.object?["assigned_partitions"]?.number?.int64 == 6)
    }
  }

  @Test func aServiceThatWorksWithoutABrokerIsReadyWithoutOne() async throws {
    let broker = InMemoryBroker()
    broker.takeDown()
    var identity = ServiceIdentity.example
    identity.worksWithoutBroker = true
    try await ExampleService(identity: identity, broker: broker).run { client in
      let answer = try await client.get("/ready")
      #expect(answer.status == .ok)
      #expect(try answer.json()["kafka"]?.object?["assigned_partitions"]?.isNull == true)
    }
  }

  @Test func aCheckOfTheServicesOwnIsAsked() async throws {
    let service = try ExampleService(broker: InMemoryBroker(), checks: [ReadinessCheck("mail") { "no templates" }])
    try await service.answer { client in
      let problem = try await client.get("/ready").json()
      #expect(problem["detail"]?.string?.contains("mail: no templates") == true)
    }
  }

  @Test func theOutboxIsPagedNewestFirstWithoutGaps() async throws {
    let service = try ExampleService(broker: InMemoryBroker())
    for index in 1...7 {
      try await service.append(try orderCreated(order: "o-\(index % 2)", event: "e-\(index)", version: 1))
    }
    try await service.answer { client in
      var seen: [String] = []
      var path = "/outbox?limit=3"
      while true {
        let page = try await client.get(path).json()
        #expect(page["status"]?.object?["unpublished"]?.number?.int64 == 7)
        seen += (page["rows"]?.array ?? []).compactMap { $0.object?["event_id"]?.string }
        guard let cursor = page["next_cursor"]?.string else { break }
        path = "/outbox?limit=3&cursor=\(cursor)"
      }
      #expect(seen == (1...7).reversed().map { "e-\($0)" })
      let ofOrder = try await client.get("/outbox?order_id=o-0&status=unpublished").json()
      #expect(ofOrder["rows"]?.array?.count == 3)
      #expect(try await client.get("/outbox?status=published").json()["rows"]?.array?.isEmpty == true)
      #expect(try await client.get("/outbox?status=lost").status == .unprocessableContent)
      #expect(try await client.get("/outbox?cursor=b3JkZXJzHzc").status == .unprocessableContent)
    }
  }

  @Test func whatIsPublishedSaysWhere() async throws {
    let service = try ExampleService(broker: InMemoryBroker())
    try await service.run { client in
      try await service.append(try inventoryReserved())
      let row = try await eventually("publication") {
        try await client.get("/outbox?status=published").json()["rows"]?.array?.first?.object
      }
      #expect(row["event_id"]?.string == "event-2" && row["topic"]?.string == "inventory")
      #expect(row["offset"]?.number?.int64 == 0 && row["published_at"]?.string != nil)
    }
  }

  @Test func whatIsGivenUpOrParkedIsListed() async throws {
    let broker = InMemoryBroker()
    let service = try ExampleService(broker: broker)
    try await service.run { client in
      _ = try await eventually("readiness") { try await client.get("/ready").status == .ok ? true : nil }
      try broker.write("nonsense", key: "o-1", to: "orders")
      let gap = try orderCreated(order: "o-2", event: "e-3", version: 3)
      try broker.write(String(decoding: gap.encoded(), as: UTF8.self), key: "o-2", to: "orders")

      let letter = try await eventually("a dead letter") {
        try await client.get("/dead-letters?status=open").json()["dead_letters"]?.array?.first?.object
      }
      #expect(letter["original_key"]?.string == "o-1" && letter["original_topic"]?.string == "orders")
      #expect(letter["consumer_group"]?.string == "example-service")
      let parked = try await eventually("a parked record") {
        try await client.get("/parked?limit=1").json()["parked"]?.array?.first?.object
      }
      #expect(parked["order_id"]?.string == "o-2" && parked["waiting_for_version"]?.number?.int64 == 1)
      #expect(try await client.get("/dead-letters?status=resolved").json()["dead_letters"]?.array?.isEmpty == true)
      #expect(try await client.get("/dead-letters?status=x").status == .unprocessableContent)
      #expect(try await client.get("/parked?cursor=x").status == .unprocessableContent)
    }
  }

  @Test func theConsumerShowsItsPartitions() async throws {
    let service = try ExampleService(broker: InMemoryBroker())
    try await service.run { client in
      let group = try await eventually("an assignment") {
        let group = try await client.get("/consumers").json()["consumers"]?.array?.first?.object
        return group?["members"]?.array?.first?.object?["assignment"]?.array?.isEmpty == false ? group : nil
      }
      #expect(group["group"]?.string == "example-service")
      #expect(group["lag"]?.number?.int64 == 0)
      let partition = group["members"]?.array?.first?.object?["assignment"]?.array?.first?.object
      #expect(partition?["topic"]?.string == "orders" && partition?["lag"]?.number?.int64 == 0)
    }
  }

  @Test func metricsAreInPrometheusFormat() async throws {
    try await ExampleService(broker: InMemoryBroker()).answer { client in
      let answer = try await client.get("/metrics")
      #expect(answer.headers[.contentType]?.hasPrefix("text/plain; version=0.0.4") == true)
      #expect(answer.text.contains("process_cpu_seconds_total"))
    }
  }
}

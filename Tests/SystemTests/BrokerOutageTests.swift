import Foundation
import MessagingKafka
import TestSupport
import Testing
import WireFormat

extension BuiltBinaries {
  /// The services without their broker, each started by hand as an operator would.
  @Suite struct BrokerOutageTests {
    @Test(.timeLimit(.minutes(4)))
    func ordersAreAcceptedWhileKafkaIsDownAndPublishedWhenItIsBack() async throws {
      let broker = try EmbeddedBroker(topics: topics)
      let services = try await Services(bootstrapServers: broker.bootstrapServers)
      try await services.waitUntilReady()
      _ = try await services.inventory.send("PUT", "/products/lamp", json: #"{"name":"Lamp","on_hand":100}"#)
      try broker.setDown()

      var orders: [String] = []
      for _ in 0..<20 {
        let placed = try await services.orders.send(
          "POST", "/orders", json: #"{"customer_id":"c","items":[{"product_id":"lamp","quantity":1,"unit_price":5}]}"#)
        #expect(placed.status == 201)
        orders.append(try #require(try placed.json()["order_id"]?.string))
      }
      #expect(try await services.orders.get("/ready").status == 200)
      #expect(try await services.orders.get("/orders/\(orders[0])").json()["status"]?.string == "PENDING")

      try broker.setUp()
      for order in orders {
        let settled = try await services.orders.get("/orders/\(order)?wait=60&until=settled").json()
        #expect(settled["status"]?.string == "CONFIRMED")
      }
      try await services.stop()
      broker.close()
    }

    @Test(.timeLimit(.minutes(3)))
    func aServiceStartedBeforeItsTopicsWaitsForThemAndSaysSo() async throws {
      let broker = try EmbeddedBroker(topics: [])
      let services = try await Services(bootstrapServers: broker.bootstrapServers)
      _ = try await services.processes[0].waitForLine(containing: "orders")
      let placed = try await services.orders.send(
        "POST", "/orders", json: #"{"customer_id":"c","items":[{"product_id":"lamp","quantity":1,"unit_price":5}]}"#)
      #expect(placed.status == 201)
      let order = try #require(try placed.json()["order_id"]?.string)

      for (topic, partitions) in topics { try broker.createTopic(topic, partitions: partitions) }
      let settled = try await services.orders.get("/orders/\(order)?wait=60&until=settled").json()
      #expect(settled["status"]?.string == "REJECTED")
      #expect(settled["reason"]?.string == "UNKNOWN_PRODUCT")
      try await services.stop()
      broker.close()
    }

    @Test(.timeLimit(.minutes(1)))
    func otherPartitionsThanTheConfigurationDemandsStopTheService() async throws {
      let broker = try EmbeddedBroker(topics: topics)
      let service = try await ServiceInstance(
        "OrderService", store: try temporaryFolder().appendingPathComponent("orders.sqlite"),
        bootstrapServers: broker.bootstrapServers, environment: ["KAFKA_TOPIC_PARTITIONS": "12"])
      #expect(try await service.process.waitForExit(within: .seconds(20)) == 1)
      #expect(service.process.text.contains("KAFKA_TOPIC_PARTITIONS: the topic"))
      broker.close()
    }

    private let topics = [("orders", 6), ("inventory", 6), ("orders-dlq", 6), ("inventory-dlq", 6)]
  }
}

/// The three executables, on free ports and with stores in a folder of their own.
private final class Services: Sendable {
  let processes: [ChildProcess]
  let orders: ServiceClient
  let inventory: ServiceClient

  init(bootstrapServers: String) async throws {
    let folder = try temporaryFolder()
    let base = try freePortBase()
    processes = try ["OrderService", "InventoryService", "NotificationService"].enumerated().map { index, name in
      try ChildProcess(
        BuiltProduct.url(name),
        environment: [
          "KAFKA_BOOTSTRAP_SERVERS": bootstrapServers, "HTTP_PORT": "\(base + index)",
          "DATABASE_PATH": folder.appendingPathComponent("\(name).sqlite").path, "LOG_FORMAT": "json",
          "KAFKA_CONSUMER_FETCH_WAIT_MAX_MS": "10",
        ])
    }
    orders = ServiceClient(base: "http://127.0.0.1:\(base)")
    inventory = ServiceClient(base: "http://127.0.0.1:\(base + 1)")
    for client in [orders, inventory] {
      _ = try await eventually("health of \(client.base)") {
        (try? await client.get("/health"))?.status == 200 ? true : nil
      }
    }
  }

  func waitUntilReady() async throws {
    for client in [orders, inventory] {
      _ = try await eventually("ready: \(client.base)") { try await client.get("/ready").status == 200 ? true : nil }
    }
  }

  func stop() async throws {
    for process in processes { process.send(SIGTERM) }
    for process in processes {
      let status = try await process.waitForExit(within: .seconds(15))
      #expect(status == 0, "\(process.text.suffix(2_000))")
    }
  }
}

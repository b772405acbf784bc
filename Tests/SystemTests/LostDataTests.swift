import Foundation
import MessagingKafka
import Synchronization
import TestSupport
import Testing
import WireFormat

extension BuiltBinaries {
  /// What was there yesterday, and is not any more: the broker's data, or a service's last day.
  @Suite struct LostDataTests {
    @Test(.timeLimit(.minutes(4)))
    func aBrokerWithoutItsDataGetsEverythingAgainAndWhatWasHadIsDropped() async throws {
      let site = try Site()
      let first = try EmbeddedBroker(topics: topics)
      try await site.start(at: first.bootstrapServers)
      try await site.stock("lamp", onHand: 1_000)
      let settled = try await site.placeOrders(30)
      try await site.untilSettled(settled)
      try await site.expectAllInvariants()
      try first.setDown()
      let unpublished = try await site.placeOrders(20)
      try await site.stop()
      first.close()

      let second = try EmbeddedBroker(topics: topics)
      try await site.start(at: second.bootstrapServers)
      try await site.untilSettled(unpublished)
      try await site.expectAllInvariants()

      // Two events an order on `orders`, one on `inventory`: each comes again to each of its readers, and is dropped.
      let dropped = try await site.dropped()
      #expect(dropped == ["OrderService": 30, "InventoryService": 60, "NotificationService": 60])
      print("LostDataTests: \(dropped) copies dropped after the broker came back without its data")
      try await site.stop()
      second.close()
    }

    @Test(.timeLimit(.minutes(4)), arguments: ["InventoryService", "NotificationService"])
    func aStoreFromYesterdayReadsAgainWhatItHasForgottenAndTheSystemConverges(service: String) async throws {
      let site = try Site()
      let broker = try EmbeddedBroker(topics: topics)
      try await site.start(at: broker.bootstrapServers)
      try await site.stock("lamp", onHand: 1_000)
      let early = try await site.placeOrders(20)
      try await site.untilSettled(early)
      try await site.expectAllInvariants()

      let store = site.store(of: service)
      let backup = store.appendingPathExtension("yesterday")
      try await site.stop(service)
      try FileManager.default.copyItem(at: store, to: backup)
      try await site.start(service, at: broker.bootstrapServers)
      let late = try await site.placeOrders(20)
      try await site.untilSettled(late)
      for order in early.prefix(5) { try await site.cancel(order) }
      try await site.expectAllInvariants()

      try await site.stop(service)
      try restore(store, from: backup)
      try await site.start(service, at: broker.bootstrapServers)
      // The created and the confirmed of twenty orders, and five cancellations.
      _ = try await eventually("what was forgotten, read again") {
        let client = try #require(site.client(of: service))
        return try await client.consumerCount("consumed") >= 45 ? true : nil
      }
      try await site.untilSettled(try await site.placeOrders(5))
      // What the inventory told on its lost day stays on the topic; only its outbox does not know of it any more.
      try await site.expectAllInvariants(eventsInNoOutbox: service == "InventoryService" ? 25 : 0)
      try await site.stop()
      broker.close()
    }

    @Test(.timeLimit(.minutes(2)))
    func aGroupThatStartsLateReadsEverythingFromTheBeginning() async throws {
      let site = try Site()
      let broker = try EmbeddedBroker(topics: topics)
      try await site.start("OrderService", at: broker.bootstrapServers)
      let orders = try await site.placeOrders(10)
      try await site.untilQuiet()

      try await site.start("InventoryService", at: broker.bootstrapServers)
      try await site.start("NotificationService", at: broker.bootstrapServers)
      for order in orders { #expect(try await site.settledStatus(of: order) == "REJECTED") }
      try await site.expectAllInvariants()
      try await site.stop()
      broker.close()
    }

    private let topics = [("orders", 6), ("inventory", 6), ("orders-dlq", 6), ("inventory-dlq", 6)]
  }
}

/// As the operations page has it: the service is stopped, and no log of the newer file is left beside the older one.
private func restore(_ store: URL, from backup: URL) throws {
  for suffix in ["", "-wal", "-shm"] {
    let file = URL(fileURLWithPath: store.path + suffix)
    if FileManager.default.fileExists(atPath: file.path) { try FileManager.default.removeItem(at: file) }
  }
  try FileManager.default.copyItem(at: backup, to: store)
}

/// The three services as an operator runs them, over a broker that the test has in hand.
private final class Site: Sendable {
  private static let stores = [
    "OrderService": "orders.sqlite", "InventoryService": "inventory.sqlite", "NotificationService": "mails.sqlite",
  ]

  private let folder: URL
  private let running = Mutex<[String: ServiceInstance]>([:])
  private let bootstrapServers = Mutex("")

  init() throws {
    folder = try temporaryFolder()
  }

  func store(of service: String) -> URL { folder.appendingPathComponent(Self.stores[service] ?? "") }

  func client(of service: String) -> ServiceClient? { running.withLock { $0[service]?.client } }

  func start(at servers: String) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for service in Self.stores.keys { group.addTask { try await self.start(service, at: servers) } }
      try await group.waitForAll()
    }
  }

  func start(_ service: String, at servers: String) async throws {
    let instance = try await ServiceInstance(service, store: store(of: service), bootstrapServers: servers)
    running.withLock { $0[service] = instance }
    bootstrapServers.withLock { $0 = servers }
    _ = try await eventually("\(service) with its partitions") {
      await instance.client.assignment()?.count == 6 ? true : nil
    }
  }

  func stop() async throws {
    for service in running.withLock({ $0.keys.sorted() }) { try await stop(service) }
  }

  func stop(_ service: String) async throws {
    guard let instance = running.withLock({ $0.removeValue(forKey: service) }) else { return }
    #expect(try await instance.stop() == 0, "\(instance.process.text.suffix(2_000))")
  }

  func stock(_ product: String, onHand: Int) async throws {
    let answer = try await client(of: "InventoryService")?
      .send("PUT", "/products/\(product)", json: #"{"name":"\#(product)","on_hand":\#(onHand)}"#)
    #expect(answer?.status == 201)
  }

  func placeOrders(_ count: Int) async throws -> [String] {
    let orders = try #require(client(of: "OrderService"))
    var placed: [String] = []
    for _ in 0..<count { placed.append(try #require(try await orders.placeOrder(of: "lamp"))) }
    return placed
  }

  func cancel(_ order: String) async throws {
    let answer = try await client(of: "OrderService")?.send("POST", "/orders/\(order)/cancel", json: "{}")
    #expect(answer?.status == 200)
  }

  func settledStatus(of order: String) async throws -> String? {
    try await client(of: "OrderService")?.settledStatus(of: order)
  }

  func untilSettled(_ orders: [String]) async throws {
    for order in orders { #expect(try await settledStatus(of: order) == "CONFIRMED") }
  }

  /// Until nothing is unpublished, and nothing unread.
  func untilQuiet() async throws {
    _ = try await eventually("quiet") {
      for instance in running.withLock({ Array($0.values) }) {
        let outbox = try await instance.client.get("/outbox?limit=1").json()["status"]?.object
        let consumer = try await instance.client.get("/consumers").json()["consumers"]?.array?.first?.object
        guard outbox?["unpublished"]?.number?.int64 == 0, consumer?["lag"]?.number?.int64 == 0 else {
          return nil as Bool?
        }
      }
      return true
    }
  }

  /// Copies that were dropped since the services were started.
  func dropped() async throws -> [String: Int64] {
    var dropped: [String: Int64] = [:]
    for (service, instance) in running.withLock({ $0 }) {
      dropped[service] = try await instance.client.consumerCount("duplicates")
    }
    return dropped
  }

  /// - Parameter eventsInNoOutbox: how many events are on a topic whose outbox has forgotten them.
  func expectAllInvariants(eventsInNoOutbox: Int = 0) async throws {
    let clients = running.withLock { $0.mapValues(\.client.base) }
    let verdict = try await ChildProcess.run(
      BuiltProduct.url("orderflow"), ["verify", "--settle", "60", "--offenders", "100"],
      environment: [
        "ORDER_SERVICE_URL": clients["OrderService"] ?? "", "INVENTORY_SERVICE_URL": clients["InventoryService"] ?? "",
        "NOTIFICATION_SERVICE_URL": clients["NotificationService"] ?? "",
        "KAFKA_BOOTSTRAP_SERVERS": bootstrapServers.withLock { $0 },
      ])
    let broken = verdict.output.split(separator: "\n").filter { $0.hasPrefix("BROKEN") }
    let forgotten = verdict.output.split(separator: "\n").filter { $0.hasSuffix("is in no outbox") }
    #expect(broken.count == (eventsInNoOutbox == 0 ? 0 : 1), "\(verdict.output)")
    #expect(forgotten.count == eventsInNoOutbox, "\(verdict.output)")
    #expect(verdict.status == (eventsInNoOutbox == 0 ? 0 : 1))
  }
}

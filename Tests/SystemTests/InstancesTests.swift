import Foundation
import GRDB
import MessagingKafka
import TestSupport
import Testing
import WireFormat

extension BuiltBinaries {
  /// Several processes of a service over one store.
  @Suite struct InstancesTests {
    @Test(.timeLimit(.minutes(4)))
    func threeInstancesShareOneStoreAndTakeOverFromEachOther() async throws {
      let stack = try await RunningStack(arguments: ["--instances", "3"])
      try await stack.stock("lamp", onHand: 100_000)
      for instances in stack.instances.values { try await untilPartitionsAreShared(instances, on: stack) }
      try await ordersSettleAtOnceWhereverTheyAreAskedFor(stack)

      let orders = try #require(stack.instances["OrderService"])
      let load = OrderLoad(on: orders, of: "lamp", cancelling: 0.1)
      let (victim, process) = try await relayHolder(of: "OrderService", on: stack)
      kill(process, SIGKILL)
      let death = ContinuousClock.now
      try await untilAnotherPublishes(than: victim, of: orders)
      print("InstancesTests: relay taken over \(ContinuousClock.now - death) after kill -9")

      let (_, member) = try await relayHolder(of: "InventoryService", on: stack)
      kill(member, SIGTERM)
      kill(try #require(stack.processIDs["NotificationService"]?.last), SIGKILL)
      for instances in stack.instances.values { try await untilPartitionsAreShared(instances, on: stack) }
      let accepted = try await load.stop()
      #expect(accepted.count > 20)

      let verdict = try await stack.tool("verify", "--settle", "60")
      #expect(verdict.status == 0, "\(verdict.output)")
      let known = try await stack.orders.all("/orders", "orders").compactMap { $0["order_id"]?.string }
      #expect(Set(accepted).isSubset(of: known))
      #expect(try await stack.stop() == 0)
    }

    /// Through one instance and asked for at the next; of three only one publishes, and any may settle the order. Without
    /// signals each of them looks every second or two.
    private func ordersSettleAtOnceWhereverTheyAreAskedFor(_ stack: RunningStack) async throws {
      let instances = try #require(stack.instances["OrderService"])
      var times: [Duration] = []
      for number in 0..<30 {
        let start = ContinuousClock.now
        let order = try #require(try await instances[number % 3].placeOrder(of: "lamp"))
        #expect(try await instances[(number + 1) % 3].settledStatus(of: order) == "CONFIRMED")
        times.append(ContinuousClock.now - start)
      }
      times.sort()
      print("InstancesTests: an order over three instances: median \(times[15]), slowest \(times[29])")
      #expect(times[15] < .milliseconds(500))
    }

    @Test(.timeLimit(.minutes(2)))
    func aRelayThatWasPausedPastItsLeaseMarksNothingAndKeysStayInOrder() async throws {
      let broker = try EmbeddedBroker(topics: topics)
      let store = try temporaryFolder().appendingPathComponent("orders.sqlite")
      let instances = [
        try await ServiceInstance("OrderService", store: store, bootstrapServers: broker.bootstrapServers),
        try await ServiceInstance("OrderService", store: store, bootstrapServers: broker.bootstrapServers),
      ]
      let holder = try await eventually("a relay with the lease") {
        for instance in instances where await instance.client.publishes() == true { return instance }
        return nil as ServiceInstance?
      }
      let other = try #require(instances.first { $0 !== holder })

      // Acknowledgements come late, so the pause finds rows that are sent and not marked.
      try broker.setRoundTripTime(.milliseconds(800))
      var orders: [String] = []
      for _ in 0..<50 { orders.append(try #require(try await other.client.placeOrder(of: "lamp"))) }
      try await pauseBetweenTransactions(holder, on: store)
      for order in orders {
        #expect(try await other.client.send("POST", "/orders/\(order)/cancel", json: "{}").status == 200)
      }
      _ = try await eventually("the other relay's lease", within: .seconds(10)) {
        await other.client.publishes() == true ? true : nil
      }
      try broker.setRoundTripTime(.zero)
      holder.process.send(SIGCONT)
      _ = try await holder.process.waitForLine(containing: "lost its lease")

      _ = try await eventually("everything published") {
        let status = try await other.client.get("/outbox?limit=1").json()["status"]?.object
        return status?["unpublished"]?.number?.int64 == 0 ? true : nil
      }
      #expect(await holder.client.publishes() == false)
      let events = try await records(of: "orders", at: broker.bootstrapServers)
      for order in orders {
        var seen: Set<String> = []
        let first = events.filter { $0["order_id"]?.string == order }
          .filter { seen.insert($0["event_id"]?.string ?? "").inserted }
        #expect(first.map { $0["event_type"]?.string } == ["ORDER_CREATED", "ORDER_CANCELLED"])
      }
      print("InstancesTests: \(events.count) records for \(orders.count * 2) rows after the pause")
      for instance in instances { #expect(try await instance.stop() == 0) }
      broker.close()
    }

    @Test(.timeLimit(.minutes(2)))
    func aConsumerThatIsPausedPastItsSessionDoesNothingTwiceWhenItGoesOn() async throws {
      let stack = try await RunningStack()
      try await stack.stock("lamp", onHand: 10_000)
      let zombie = try await ServiceInstance(
        "InventoryService", store: stack.folder.appendingPathComponent("inventory-service.sqlite"),
        bootstrapServers: stack.bootstrapServers)
      try await untilPartitionsAreShared([stack.inventory, zombie.client], on: stack)
      let load = OrderLoad(on: [stack.orders], of: "lamp", cancelling: 0.2)
      _ = try await eventually("something handled there") {
        try await zombie.client.consumerCount("handled") > 10 ? true : nil
      }

      zombie.process.send(SIGSTOP)
      _ = try await eventually("its partitions at the other member", within: .seconds(60)) {
        await stack.inventory.assignment()?.count == 6 ? true : nil
      }
      zombie.process.send(SIGCONT)
      try await untilPartitionsAreShared([stack.inventory, zombie.client], on: stack)

      _ = try await load.stop()
      let verdict = try await stack.tool("verify", "--settle", "60")
      #expect(verdict.status == 0, "\(verdict.output)")
      #expect(try await zombie.stop() == 0)
      #expect(try await stack.stop() == 0)
    }

    private let topics = [("orders", 6), ("inventory", 6), ("orders-dlq", 6), ("inventory-dlq", 6)]
  }
}

/// Every partition at exactly one of `instances`, and each of them with some.
private func untilPartitionsAreShared(_ instances: [ServiceClient], on stack: RunningStack) async throws {
  _ = try await eventually(
    "six partitions shared by \(instances.count); `up` said:\n\(stack.up.text.suffix(2_000))", within: .seconds(60),
    every: .milliseconds(200)
  ) {
    var partitions: [String] = []
    for instance in instances {
      guard let assignment = await instance.assignment(), !assignment.isEmpty else { return nil as Bool? }
      partitions += assignment
    }
    return partitions.count == 6 && Set(partitions).count == 6 ? true : nil
  }
}

/// The instance whose relay publishes, and its process. One at a time does.
private func relayHolder(of service: String, on stack: RunningStack) async throws -> (Int, Int32) {
  let instances = stack.instances[service] ?? []
  let index = try await eventually("one relay of \(service) with the lease") {
    var holders: [Int] = []
    for (index, instance) in instances.enumerated() where await instance.publishes() == true { holders.append(index) }
    return holders.count == 1 ? holders[0] : nil
  }
  let processes = try stack.currentProcessIDs()[service] ?? []
  return (index, try #require(processes.indices.contains(index) ? processes[index] : nil))
}

private func untilAnotherPublishes(than index: Int, of instances: [ServiceClient]) async throws {
  _ = try await eventually("another relay with the lease", within: .seconds(10), every: .milliseconds(20)) {
    for (other, instance) in instances.enumerated() where other != index {
      if await instance.publishes() == true { return true }
    }
    return nil as Bool?
  }
}

/// Stops a process where it does not hold the lock of its store: who is stopped there keeps everybody else from writing,
/// until the operator ends it.
private func pauseBetweenTransactions(_ instance: ServiceInstance, on store: URL) async throws {
  _ = try await eventually("a pause between two transactions", every: .milliseconds(10)) {
    instance.process.send(SIGSTOP)
    if try canBeWritten(store) { return true }
    instance.process.send(SIGCONT)
    return nil as Bool?
  }
}

private func canBeWritten(_ store: URL) throws -> Bool {
  var configuration = Configuration()
  configuration.busyMode = .timeout(1)
  let database = try DatabaseQueue(path: store.path, configuration: configuration)
  defer { try? database.close() }
  do {
    try database.inTransaction(.immediate) { _ in .rollback }
    return true
  } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
    return false
  }
}

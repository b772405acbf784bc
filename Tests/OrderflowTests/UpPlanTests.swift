import Testing

@testable import orderflow

struct UpPlanTests {
  @Test func theServicesTakeThePortsAfterTheBase() {
    let plans = ServicePlan.stack(portBase: 8080, instances: 2, free: [41, 42, 43])

    #expect(
      plans.map(\.processName) == [
        "OrderService", "InventoryService", "NotificationService", "OrderService-2", "InventoryService-2",
        "NotificationService-2",
      ])
    #expect(plans.map(\.port) == [8081, 8082, 8083, 41, 42, 43])
  }

  @Test func withBaseZeroEveryPortIsAFreeOne() throws {
    let needed = ServicePlan.freePortsNeeded(portBase: 0, instances: 2)
    let plans = ServicePlan.stack(portBase: 0, instances: 2, free: try Ports.free(needed))

    #expect(needed == 6)
    #expect(Set(plans.map(\.port)).count == 6)
    #expect(plans.allSatisfy { $0.port > 0 })
  }

  private func environment(_ inherited: [String: String], isEmbedded: Bool) -> [String: String] {
    ChildEnvironment(
      inherited: inherited, bootstrapServers: "127.0.0.1:9", isEmbeddedBroker: isEmbedded,
      paths: StatePaths(directory: "/d"), lifeline: 3, isTerminal: false
    ).variables(for: ServicePlan(service: "NotificationService", instance: 2, port: 77))
  }

  @Test func aChildIsToldWhereItIs() {
    let variables = environment(["HTTP_PORT": "1", "PATH": "/bin"], isEmbedded: true)

    #expect(variables["HTTP_PORT"] == "77")
    #expect(variables["HTTP_HOST"] == "127.0.0.1")
    #expect(variables["DATABASE_PATH"] == "/d/notification-service.sqlite")
    #expect(variables["KAFKA_BOOTSTRAP_SERVERS"] == "127.0.0.1:9")
    #expect(variables["LIFELINE_FD"] == "3")
    #expect(variables["PATH"] == "/bin")
  }

  @Test func theEmbeddedBrokerGetsItsSettingsAndNoSecurity() {
    let inherited = [
      "KAFKA_SASL_USERNAME": "ada", "KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_PRODUCER_LINGER_MS": "7",
      "KAFKA_CONSUMER_GROUP": "one-for-all",
    ]
    let embedded = environment(inherited, isEmbedded: true)

    #expect(embedded["KAFKA_CONSUMER_FETCH_WAIT_MAX_MS"] == "5")
    #expect(embedded["RELAY_MAX_UNCONSUMED_BYTES"] == "3145728")
    #expect(embedded["KAFKA_PRODUCER_LINGER_MS"] == "7")
    #expect(embedded["KAFKA_SASL_USERNAME"] == nil)
    #expect(embedded["KAFKA_SECURITY_PROTOCOL"] == nil)
    #expect(embedded["KAFKA_CONSUMER_GROUP"] == nil)
  }

  @Test func aRealBrokerGetsWhatTheUserSays() {
    let real = environment(["KAFKA_SASL_USERNAME": "ada"], isEmbedded: false)

    #expect(real["KAFKA_SASL_USERNAME"] == "ada")
    #expect(real["KAFKA_CONSUMER_FETCH_WAIT_MAX_MS"] == nil)
  }

  @Test func restartsAreDelayedMoreAndMoreUntilAHealthyLife() {
    var policy = RestartPolicy()
    let delays = (0..<9).map { _ in policy.delay(afterLifeOf: .seconds(1)) }

    #expect(delays.map(\.milliseconds) == [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000])
    #expect(policy.deathsInARow == 9)
    #expect(policy.delay(afterLifeOf: .seconds(30)) == .milliseconds(100))
    #expect(policy.deathsInARow == 1)
  }

  @Test(arguments: ["0", "-1", "six", "1001", "6.5"])
  func aBadNumberOfPartitionsIsRefusedByName(text: String) throws {
    let failure = #expect(throws: Failure.self) {
      try TopicPartitions.count(environment: ["KAFKA_TOPIC_PARTITIONS": text])
    }
    #expect(failure?.description.contains("KAFKA_TOPIC_PARTITIONS") == true)
    #expect(try TopicPartitions.count(environment: [:]) == 6)
  }

  @Test func theCurlLinesNameTheStack() {
    let file = ReadyFile(
      bootstrapServers: "b", isEmbeddedBroker: true, orderService: "http://o", inventoryService: "http://i",
      notificationService: "http://n", processID: 1, processIDs: [:], instances: [:])
    let greeting = Greeting(stack: Stack(file), paths: StatePaths(directory: "/my dir"), hasDemoStock: true)

    #expect(greeting.curls.count == 3)
    #expect(greeting.curls[0].contains("curl -sw '\\n' http://o/orders "))
    #expect(greeting.curls[0].contains("tee '/my dir/order.json'"))
    #expect(greeting.curls[1].contains(#""http://i/reservations/$(cut -d'"' -f4 '/my dir/order.json')""#))
    #expect(greeting.curls[2].contains("http://n/emails?order_id="))
  }

  @Test func demoProductsAreADozenWithNames() {
    #expect(DemoStock.products.count == 12)
    #expect(Set(DemoStock.products.map(\.id)).count == 12)
  }
}

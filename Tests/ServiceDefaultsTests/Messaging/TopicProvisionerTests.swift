import Logging
import Messaging
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@testable import ServiceDefaults

@Suite struct TopicProvisionerTests {
  @Test func missingTopicsAreMadeAsTheConfigurationWantsThem() async throws {
    let broker = InMemoryBroker(topics: ["orders": 3])
    try await running(provisioner(broker)) { provisioner in
      _ = try await eventually("topics") { provisioner.state == .ready ? true : nil }
    }
    let topics = try broker.makeAdmin().topics(timeout: .seconds(1))
    #expect(topics == ["orders": 3, "inventory": 6, "orders-dlq": 6])
  }

  @Test func aTopicThatSomebodyElseMadeIsTakenAsItIs() async throws {
    let broker = InMemoryBroker(topics: ["orders": 12, "inventory": 1, "orders-dlq": 6])
    try await running(provisioner(broker)) { provisioner in
      _ = try await eventually("topics") { provisioner.state == .ready ? true : nil }
    }
  }

  @Test func otherPartitionsThanTheConfigurationDemandsEndTheService() async throws {
    let broker = InMemoryBroker(topics: ["orders": 12])
    let provisioner = provisioner(broker, demandsPartitions: true)
    await #expect(throws: OtherPartitions(topic: "orders", partitions: 12, demanded: 6)) { try await provisioner.run() }
    #expect(try broker.makeAdmin().topics(timeout: .seconds(1)) == ["orders": 12])
  }

  @Test func deadLettersAreKeptForEverAndEventsForTheirRetention() {
    let topics = TopicSpecification.all(for: ServiceConfiguration(identity: .example))
    #expect(topics.map(\.name) == ["orders", "inventory", "orders-dlq"])
    #expect(topics.map { $0.configuration["retention.ms"] } == ["604800000", "604800000", "-1"])
  }

  @Test func aBrokerThatIsAwayIsWaitedFor() async throws {
    let broker = InMemoryBroker()
    broker.takeDown()
    try await running(provisioner(broker)) { provisioner in
      _ = try await eventually("waiting") {
        if case .waitingForBroker = provisioner.state { true } else { nil }
      }
      broker.bringUp()
      _ = try await eventually("topics") { provisioner.state == .ready ? true : nil }
    }
  }

  @Test func topicsThatTheBrokerCannotMakeAreWaitedFor() async throws {
    let broker = InMemoryBroker()
    try await running(provisioner(BrokerWithoutCreateTopics(broker: broker))) { provisioner in
      _ = try await eventually("waiting") {
        if case .waitingForTopics(["orders", "inventory", "orders-dlq"], _) = provisioner.state { true } else { nil }
      }
      try broker.makeAdmin().createTopics(
        ["orders", "inventory", "orders-dlq"].map { TopicSpecification(name: $0, partitions: 1, replicationFactor: 1) },
        timeout: .seconds(1))
      _ = try await eventually("topics") { provisioner.state == .ready ? true : nil }
    }
  }

  private func provisioner(_ broker: any Broker, demandsPartitions: Bool = false) -> TopicProvisioner {
    TopicProvisioner(
      topics: TopicSpecification.all(for: ServiceConfiguration(identity: .example)),
      demandsPartitions: demandsPartitions, broker: broker, pause: .milliseconds(10), logger: .silent)
  }
}

/// As the embedded broker: everything but making topics over the protocol.
private struct BrokerWithoutCreateTopics: Broker {
  let broker: InMemoryBroker

  func makeProducer() throws -> any MessageProducer { try broker.makeProducer() }
  func makeConsumer(
    group: String, topics: [String], listener: any PartitionListener
  ) throws -> any MessageConsumer {
    try broker.makeConsumer(group: group, topics: topics, listener: listener)
  }
  func makeAdmin() throws -> any BrokerAdmin { Admin(admin: try broker.makeAdmin()) }

  private struct Admin: BrokerAdmin {
    let admin: any BrokerAdmin

    func clusterID(timeout: Duration) throws -> String { try admin.clusterID(timeout: timeout) }
    func topics(timeout: Duration) throws -> [String: Int] { try admin.topics(timeout: timeout) }
    func createTopics(_ topics: [TopicSpecification], timeout: Duration) throws {
      throw BrokerError(kind: .unsupported, name: "UNSUPPORTED_VERSION", detail: "no CreateTopics")
    }
    func watermarks(of partition: TopicPartition, timeout: Duration) throws -> (start: Int64, end: Int64) {
      try admin.watermarks(of: partition, timeout: timeout)
    }
    func committed(
      group: String, partitions: [TopicPartition], timeout: Duration
    ) throws -> [TopicPartition: Int64] {
      try admin.committed(group: group, partitions: partitions, timeout: timeout)
    }
    func close() { admin.close() }
  }
}

extension Logger {
  static var silent: Logger { Logger(label: "silent") { _ in SwiftLogNoOpLogHandler() } }
}

/// Runs services while `body` does, and shuts them down gracefully.
func running<Running: Service>(
  _ service: Running, _ body: @escaping @Sendable (Running) async throws -> Void
) async throws {
  try await running([service]) { try await body(service) }
}

func running(_ services: [any Service], _ body: @escaping @Sendable () async throws -> Void) async throws {
  let group = ServiceGroup(services: services, logger: .silent)
  try await deadline(.seconds(30), "services") {
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      do {
        try await body()
      } catch {
        await group.triggerGracefulShutdown()
        throw error
      }
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
    }
  }
}

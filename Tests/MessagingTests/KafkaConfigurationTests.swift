import Messaging
import MessagingKafka
import Testing

@Suite("Kafka configuration")
struct KafkaConfigurationTests {
  private static func configuration(
    _ common: [String: String] = [:], producer: [String: String] = [:], consumer: [String: String] = [:]
  ) -> KafkaConfiguration {
    KafkaConfiguration(bootstrapServers: "127.0.0.1:9", common: common, producer: producer, consumer: consumer)
  }

  @Test func theDefaultsAreAccepted() throws {
    try Self.configuration().validated()
  }

  @Test func everyOtherPropertyCanBeSet() throws {
    try Self.configuration(
      [
        "client.id": "me", "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.username": "u",
        "sasl.password": "p", "broker.address.family": "v4",
      ],
      producer: ["compression.codec": "none", "linger.ms": "0", "message.timeout.ms": "1000"],
      consumer: [
        "partition.assignment.strategy": "cooperative-sticky", "session.timeout.ms": "10000",
        "auto.offset.reset": "earliest",
      ]
    ).validated()
  }

  @Test(arguments: KafkaConfiguration.refusedProperties.keys.sorted())
  func whatCarriesTheGuaranteesIsRefusedByName(_ property: String) {
    for configuration in [
      Self.configuration([property: "1"]), Self.configuration(producer: [property: "1"]),
      Self.configuration(consumer: [property: "1"]),
    ] {
      let error = #expect(throws: KafkaConfigurationError.self) { try configuration.validated() }
      #expect(error?.property == property)
      #expect(error?.description.contains(property) == true)
    }
  }

  @Test func aNewGroupCannotSkipWhatWasThereBeforeIt() {
    let error = #expect(throws: KafkaConfigurationError.self) {
      try Self.configuration(consumer: ["auto.offset.reset": "latest"]).validated()
    }
    #expect(error?.property == "auto.offset.reset")
  }

  @Test(arguments: [
    ("no.such.property", "1"), ("session.timeout.ms", "soon"), ("session.timeout.ms", "-5"),
    ("security.protocol", "carrier-pigeon"), ("partitioner", "modulo"),
  ])
  func aBadPropertyIsNamedWithTheReason(_ name: String, _ value: String) {
    let error = #expect(throws: KafkaConfigurationError.self) { try Self.configuration([name: value]).validated() }
    #expect(error?.property == name)
    #expect(error?.reason.isEmpty == false)
  }

  /// librdkafka looks at these when it makes the client, and no earlier.
  @Test(arguments: [("partition.assignment.strategy", "bogus"), ("ssl.ca.location", "/no/such/file")])
  func whatAClientCannotBeMadeOfIsAnError(_ name: String, _ value: String) {
    let configuration = Self.configuration(["security.protocol": "SSL"], consumer: [name: value])
    let error = #expect(throws: KafkaConfigurationError.self) { try configuration.validated() }
    #expect(error?.reason.isEmpty == false)
  }

  @Test func propertiesThatDoNotGoTogetherAreNamed() {
    let error = #expect(throws: KafkaConfigurationError.self) {
      try Self.configuration(producer: ["message.timeout.ms": "10", "linger.ms": "500"]).validated()
    }
    #expect(error?.description.contains(".ms") == true)
  }

  @Test func anEmptyListOfServersIsNamed() {
    let error = #expect(throws: KafkaConfigurationError.self) {
      try KafkaConfiguration(bootstrapServers: "").validated()
    }
    #expect(error?.property == "bootstrap.servers")
  }

  @Test func aClientIsNotMadeOfABadProperty() {
    let broker = KafkaBroker(configuration: Self.configuration(["no.such": "1"]), logger: quietLogger)
    #expect(throws: KafkaConfigurationError.self) { try broker.makeProducer() }
    #expect(throws: KafkaConfigurationError.self) {
      try broker.makeConsumer(group: "g", topics: ["t"], listener: RecordingListener())
    }
    #expect(throws: KafkaConfigurationError.self) { try broker.makeAdmin() }
  }
}

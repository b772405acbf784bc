import Foundation
import Messaging
import Testing

@testable import ServiceDefaults

@Suite struct ConfigurationTests {
  @Test func everyKeyHasItsDefault() throws {
    let configuration = try load()
    #expect(configuration.httpHost == "127.0.0.1")
    #expect(configuration.httpPort == 8090)
    #expect(configuration.httpThreads == 1)
    #expect(configuration.databasePath == ".orderflow/example-service.sqlite")
    #expect(configuration.kafka.bootstrapServers == "localhost:9092")
    #expect(configuration.kafka.common == ["client.id": "example-service"])
    #expect(configuration.consumerGroup == "example-service")
    #expect(configuration.topicPartitions == 6)
    #expect(configuration.topicReplicationFactor == 1)
    #expect(
      configuration.retry == RetryPolicy(maxAttempts: 3, initialBackoff: .milliseconds(100), maxBackoff: .seconds(10)))
    #expect(configuration.topicRetention == .seconds(168 * 3600))
    #expect(configuration.outboxRetention == .seconds(168 * 3600))
    #expect(configuration.inboxRetention == .seconds(720 * 3600))
    #expect(configuration.relayMaxUnconsumedBytes == nil)
    #expect(configuration.topicPartitions == 6 && !configuration.demandsTopicPartitions)
    #expect(configuration.lifelineDescriptor == nil)
    #expect(configuration.logLevel == .info)
    #expect(configuration.logFormat == .json)
    #expect(try load(isTerminal: true).logFormat == .text)
  }

  @Test func everyKeyCanBeSet() throws {
    let configuration = try load(environment: [
      "HTTP_HOST": "0.0.0.0", "ALLOW_ANONYMOUS": "true", "HTTP_PORT": "0", "HTTP_THREADS": "2",
      "DATABASE_PATH": "/tmp/x.sqlite", "KAFKA_BOOTSTRAP_SERVERS": "a:1,b:2", "KAFKA_CONSUMER_GROUP": "group",
      "KAFKA_TOPIC_PARTITIONS": "12", "KAFKA_TOPIC_REPLICATION_FACTOR": "3", "KAFKA_TOPIC_RETENTION_HOURS": "1",
      "OUTBOX_RETENTION_HOURS": "2", "INBOX_RETENTION_HOURS": "3", "RETRY_MAX_ATTEMPTS": "1",
      "RETRY_INITIAL_BACKOFF_MS": "0", "RETRY_MAX_BACKOFF_MS": "5", "RELAY_MAX_UNCONSUMED_BYTES": "3145728",
      "LOG_LEVEL": "DEBUG", "LOG_FORMAT": "text", "LIFELINE_FD": "7", "API_TOKENS": "secret:read+orders",
      "RATE_LIMIT": "100",
    ])
    #expect(configuration.apiTokens?.grant(to: "secret")?.scopes == [.read, .orders])
    #expect(configuration.rateLimit == 100)
    #expect(configuration.httpHost == "0.0.0.0")
    #expect(configuration.httpPort == 0)
    #expect(configuration.httpThreads == 2)
    #expect(configuration.databasePath == "/tmp/x.sqlite")
    #expect(configuration.kafka.bootstrapServers == "a:1,b:2")
    #expect(configuration.consumerGroup == "group")
    #expect(configuration.topicPartitions == 12 && configuration.demandsTopicPartitions)
    #expect(configuration.topicReplicationFactor == 3)
    #expect(configuration.topicRetention == .seconds(3600))
    #expect(configuration.outboxRetention == .seconds(7200))
    #expect(configuration.inboxRetention == .seconds(10_800))
    #expect(configuration.retry == RetryPolicy(maxAttempts: 1, initialBackoff: .zero, maxBackoff: .milliseconds(5)))
    #expect(configuration.relayMaxUnconsumedBytes == 3_145_728)
    #expect(configuration.logLevel == .debug)
    #expect(configuration.logFormat == .text)
    #expect(configuration.lifelineDescriptor == 7)
  }

  @Test(arguments: [
    ("RATE_LIMIT", "0"), ("RATE_LIMIT", "many"), ("API_TOKENS", "secret"), ("API_TOKENS", "secret:"),
    ("API_TOKENS", ":read"), ("API_TOKENS", "secret:write"), ("API_TOKENS", "a:read,"), ("API_TOKENS", "a b:read"),
    ("API_TOKENS", "a:read,a:orders"), ("HTTP_PORT", "65536"), ("HTTP_PORT", "-1"), ("HTTP_PORT", "http"),
    ("HTTP_THREADS", "0"),
    ("KAFKA_TOPIC_PARTITIONS", "0"), ("KAFKA_TOPIC_REPLICATION_FACTOR", "x"), ("KAFKA_TOPIC_RETENTION_HOURS", "0"),
    ("OUTBOX_RETENTION_HOURS", "99999999999999999999"), ("INBOX_RETENTION_HOURS", "7.5"),
    ("RETRY_MAX_ATTEMPTS", "0"), ("RETRY_INITIAL_BACKOFF_MS", "-5"), ("RETRY_MAX_BACKOFF_MS", "ten"),
    ("RELAY_MAX_UNCONSUMED_BYTES", "1"), ("LOG_LEVEL", "loud"), ("LOG_FORMAT", "xml"), ("LIFELINE_FD", "1"),
    ("ALLOW_ANONYMOUS", "maybe"), ("KAFKA_BOOTSTRAP_SERVERS", "host:99999"), ("KAFKA_BOOTSTRAP_SERVERS", "=::"),
    ("KAFKA_BOOTSTRAP_SERVERS", "a:1,"), ("KAFKA_BOOTSTRAP_SERVERS", "a b:1"), ("CONFIG_FILE", "/nowhere/at-all.json"),
    ("HTTP_HOST", "0.0.0.0"),
  ])
  func aBadValueNamesItsKey(key: String, value: String) {
    let error = #expect(throws: ConfigurationError.self) { try load(environment: [key: value]) }
    #expect(error?.refusals.map(\.key) == [key])
  }

  @Test func allBadKeysAreNamedAtOnce() {
    let error = #expect(throws: ConfigurationError.self) {
      try load(arguments: ["--http-port", "x", "--colour"], environment: ["LOG_LEVEL": "loud", "KAFKA_ACKS": "1"])
    }
    #expect(Set(error?.refusals.map(\.key) ?? []) == ["HTTP_PORT", "--colour", "LOG_LEVEL", "KAFKA_ACKS"])
    #expect(error?.description.split(separator: "\n").count == 4)
  }

  @Test func optionsWinOverTheEnvironmentAndThatOverTheFile() throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).json")
    try Data(
      #"{"HTTP_PORT":1,"http":{"threads":3},"log-level":"debug","kafka":{"consumer":{"fetch.wait.max.ms":10}}}"#.utf8
    ).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }

    let configuration = try load(
      arguments: ["--http-port=3", "--config-file", file.path], environment: ["HTTP_PORT": "2", "LOG_LEVEL": "error"])

    #expect(configuration.httpPort == 3)
    #expect(configuration.logLevel == .error)
    #expect(configuration.httpThreads == 3)
    #expect(configuration.kafka.consumer == ["fetch.wait.max.ms": "10"])
  }

  @Test func aFileWithUnknownKeysIsRefused() throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).json")
    try Data(#"{"http":{"prot":1}}"#.utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let error = #expect(throws: ConfigurationError.self) { try load(environment: ["CONFIG_FILE": file.path]) }
    #expect(error?.refusals.map(\.key) == ["HTTP_PROT"])
  }

  @Test func anEmptyValueCountsAsNone() throws {
    #expect(try load(environment: ["HTTP_PORT": "", "KAFKA_SASL_USERNAME": ""]).httpPort == 8090)
  }

  @Test func aListOfServersOnTheCommandLineStaysWhole() throws {
    let configuration = try load(arguments: ["--kafka-bootstrap-servers", "a:9092,b:9092"])
    #expect(configuration.kafka.bootstrapServers == "a:9092,b:9092")
  }

  @Test func anInboxThatForgetsBeforeTopicOrOutboxIsRefused() {
    for key in ["KAFKA_TOPIC_RETENTION_HOURS", "OUTBOX_RETENTION_HOURS"] {
      let error = #expect(throws: ConfigurationError.self) { try load(environment: [key: "721"]) }
      #expect(error?.refusals.map(\.key) == ["INBOX_RETENTION_HOURS"])
    }
    #expect(throws: Never.self) { try load(environment: ["OUTBOX_RETENTION_HOURS": "720"]) }
  }

  @Test(arguments: ["127.0.0.1", "127.1.2.3", "localhost", "::1"])
  func loopbackNeedsNobodysPermission(host: String) throws {
    #expect(try load(environment: ["HTTP_HOST": host]).httpHost == host)
  }

  @Test(arguments: ["0.0.0.0", "::", "192.168.1.5", "127.evil.example.com", "127.0.0.1.example.com"])
  func anotherAddressNeedsPermission(host: String) throws {
    #expect(throws: ConfigurationError.self) { try load(environment: ["HTTP_HOST": host]) }
    #expect(try load(environment: ["HTTP_HOST": host, "ALLOW_ANONYMOUS": "true"]).httpHost == host)
    #expect(try load(arguments: ["--http-host", host, "--allow-anonymous"]).httpHost == host)
  }

  @Test func helpNamesEveryKey() throws {
    guard case .help(let text) = try ServiceConfiguration.load(.example, arguments: ["--help"], environment: [:]) else {
      Issue.record("no help")
      return
    }
    for key in ConfigurationKey.all(for: .example) {
      #expect(text.contains(key.name) && text.contains(key.option))
    }
  }
}

@Suite struct KafkaPropertyTests {
  @Test func anyPropertyReachesItsClients() throws {
    let kafka = try load(environment: [
      "KAFKA_SECURITY_PROTOCOL": "plaintext", "KAFKA_CLIENT_ID": "me", "KAFKA_PRODUCER_LINGER_MS": "1",
      "KAFKA_CONSUMER_FETCH_WAIT_MAX_MS": "10", "KAFKA_TOPIC_METADATA_REFRESH_INTERVAL_MS": "7000",
    ]).kafka
    #expect(
      kafka.common == [
        "security.protocol": "plaintext", "client.id": "me", "topic.metadata.refresh.interval.ms": "7000",
      ])
    #expect(kafka.producer == ["linger.ms": "1"])
    #expect(kafka.consumer == ["fetch.wait.max.ms": "10"])
  }

  @Test(arguments: [
    "KAFKA_ACKS", "KAFKA_PRODUCER_ACKS", "KAFKA_ENABLE_IDEMPOTENCE", "KAFKA_CONSUMER_ENABLE_AUTO_OFFSET_STORE",
    "KAFKA_CONSUMER_GROUP_ID",
  ])
  func whatCarriesTheGuaranteesIsRefused(key: String) {
    let error = #expect(throws: ConfigurationError.self) { try load(environment: [key: "1"]) }
    #expect(error?.refusals.map(\.key) == [key])
  }

  @Test func anUnknownPropertyNamesItsKey() {
    let error = #expect(throws: ConfigurationError.self) { try load(environment: ["KAFKA_PRODUCER_NO_SUCH": "1"]) }
    #expect(error?.refusals.map(\.key) == ["KAFKA_PRODUCER_NO_SUCH"])
  }

  @Test func whatKubernetesTellsOfAServiceCalledKafkaIsNoProperty() throws {
    let kafka = try load(environment: [
      "KAFKA_PORT": "tcp://10.0.0.1:9092", "KAFKA_SERVICE_HOST": "10.0.0.1", "KAFKA_PORT_9092_TCP_ADDR": "10.0.0.1",
    ]).kafka
    #expect(kafka.common == ["client.id": "example-service"])
  }
}

private func load(
  arguments: [String] = [], environment: [String: String] = [:], isTerminal: Bool = false
) throws -> ServiceConfiguration {
  switch try ServiceConfiguration.load(
    .example, arguments: arguments, environment: environment, isTerminal: isTerminal)
  {
  case .configuration(let configuration): return configuration
  case .help: throw StartError("help instead of a configuration")
  }
}

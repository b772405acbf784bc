import Foundation
import Testing
import WireFormat

@testable import orderflow

struct StackTests {
  private func makeFile(processID: Int32 = getpid()) -> ReadyFile {
    ReadyFile(
      bootstrapServers: "127.0.0.1:4000", isEmbeddedBroker: true, orderService: "http://127.0.0.1:1",
      inventoryService: "http://127.0.0.1:2", notificationService: "http://127.0.0.1:3", processID: processID,
      processIDs: ["OrderService": [11, 12]], instances: ["OrderService": ["http://127.0.0.1:4"]])
  }

  private func withDirectory(_ body: (String) throws -> Void) throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(path)
  }

  @Test func theReadyFileReadsBackAsItWasWritten() throws {
    let file = makeFile()

    #expect(try ReadyFile(parsing: file.jsonBytes) == file)
  }

  @Test func theReadyFileHasTheContractsMembers() throws {
    let object = try #require(try JSONValue(parsing: makeFile().jsonBytes).object)

    #expect(object["console"] == .null)
    #expect(object["pids"]?.object?["OrderService"]?.array?.count == 2)
    #expect(object["instances"]?.object?["OrderService"]?.array == [.string("http://127.0.0.1:4")])
  }

  @Test(arguments: ["", "{", "[]", "{}", #"{"bootstrap_servers":1}"#])
  func whatIsNoReadyFileIsRefused(text: String) {
    #expect(throws: Failure.self) { try ReadyFile(parsing: Array(text.utf8)) }
  }

  @Test func aRunningStackIsFoundInItsDirectory() throws {
    try withDirectory { path in
      try makeFile().save(path: "\(path)/ready.json")

      let stack = try Stack.locate(directory: path, environment: ["ORDER_SERVICE_URL": "http://elsewhere"])

      #expect(stack.orderService == "http://127.0.0.1:1")
      #expect(
        stack.allInstances.filter { $0.name == "OrderService" }.map(\.baseURL)
          == ["http://127.0.0.1:1", "http://127.0.0.1:4"])
    }
  }

  @Test func theFileOfAKilledStackCountsForNothing() throws {
    try withDirectory { path in
      try makeFile(processID: Int32.max).save(path: "\(path)/ready.json")

      #expect(throws: Failure("no `orderflow up` runs on \(path)")) {
        try Stack.locate(directory: path, environment: [:])
      }
    }
  }

  @Test func theEnvironmentSaysWhatNoFileDoes() {
    let stack = Stack(environment: ["INVENTORY_SERVICE_URL": "http://inventory:80", "KAFKA_BOOTSTRAP_SERVERS": ""])

    #expect(stack.inventoryService == "http://inventory:80")
    #expect(stack.orderService == "http://127.0.0.1:8081")
    #expect(stack.bootstrapServers == "localhost:9092")
  }

  @Test func kafkasOwnSettingsComeFromTheEnvironment() {
    let environment = [
      "KAFKA_SASL_USERNAME": "ada", "KAFKA_CONSUMER_FETCH_WAIT_MAX_MS": "5", "KAFKA_CONSUMER_GROUP": "g",
      "KAFKA_TOPIC_PARTITIONS": "3", "KAFKA_PRODUCER_LINGER_MS": "1", "KAFKA_BOOTSTRAP_SERVERS": "kafka:1",
    ]

    let configuration = KafkaAccess.configuration(of: Stack(environment: environment), environment: environment)

    #expect(configuration.bootstrapServers == "kafka:1")
    #expect(configuration.common == ["sasl.username": "ada"])
    #expect(configuration.consumer == ["fetch.wait.max.ms": "5"])
  }
}

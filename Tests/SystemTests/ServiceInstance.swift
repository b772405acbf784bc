import Foundation
import TestSupport
import Testing
import WireFormat

/// One process of a service, started by hand as an operator would, on a port of its own.
final class ServiceInstance: Sendable {
  let process: ChildProcess
  let client: ServiceClient

  /// Returns when it listens.
  ///
  /// - Parameter store: shared with the service's other instances.
  init(
    _ executable: String, store: URL, bootstrapServers: String, environment: [String: String] = [:]
  ) async throws {
    let own = [
      "KAFKA_BOOTSTRAP_SERVERS": bootstrapServers, "HTTP_PORT": "0", "DATABASE_PATH": store.path, "LOG_FORMAT": "json",
      // What `orderflow up` sets for an embedded broker.
      "KAFKA_CONSUMER_FETCH_WAIT_MAX_MS": "10", "KAFKA_PRODUCER_LINGER_MS": "1",
      "RELAY_MAX_UNCONSUMED_BYTES": "3145728",
    ]
    process = try ChildProcess(BuiltProduct.url(executable), environment: own.merging(environment) { $1 })
    let line = try await process.waitForLine(containing: #""message":"Listening""#)
    let url = try JSONValue(parsing: Array(line.utf8)).object?["metadata"]?.object?["url"]?.string
    client = ServiceClient(base: try #require(url, "\(line)"))
  }

  /// As at a roll-out; returns the exit status.
  func stop() async throws -> Int32 {
    process.send(SIGTERM)
    return try await process.waitForExit(within: .seconds(15))
  }
}

extension ServiceClient {
  /// Whether the relay of this instance has the lease. Nil when it does not answer.
  func publishes() async -> Bool? {
    guard let answer = try? await get("/ready").json() else { return nil }
    return answer["kafka"]?.object?["publishes"]?.bool
  }

  /// The partitions this instance's consumer has, as `topic/number`; nil when it has not joined its group.
  func assignment() async -> [String]? {
    guard let report = try? await get("/consumers").json()["consumers"]?.array?.first?.object,
      let partitions = report["members"]?.array?.first?.object?["assignment"]?.array
    else { return nil }
    return partitions.map { "\($0.object?["topic"]?.string ?? "")/\($0.object?["partition"]?.number?.text ?? "")" }
  }

  /// A number of `GET /consumers`, counted since the start of the process.
  func consumerCount(_ name: String) async throws -> Int64 {
    let report = try await get("/consumers").json()["consumers"]?.array?.first?.object
    return report?["counts"]?.object?[name]?.number?.int64 ?? 0
  }

  /// Places an order of one piece; nil unless it was accepted.
  func placeOrder(of product: String, customer: String = "ada") async throws -> String? {
    let item = #"{"product_id":"\#(product)","quantity":1,"unit_price":4.90}"#
    let answer = try await send("POST", "/orders", json: #"{"customer_id":"\#(customer)","items":[\#(item)]}"#)
    return answer.status == 201 ? try answer.json()["order_id"]?.string : nil
  }

  /// The order's status once it has left PENDING, or after a minute.
  func settledStatus(of order: String) async throws -> String? {
    try await get("/orders/\(order)?wait=60&until=settled").json()["status"]?.string
  }
}

/// Places orders from several connections, at every one of `services` in turn, until it is told to stop.
final class OrderLoad: Sendable {
  private let task: Task<[String], any Error>

  init(on services: [ServiceClient], of product: String, connections: Int = 4, cancelling share: Double = 0) {
    task = Task {
      try await withThrowingTaskGroup(of: [String].self) { group in
        for connection in 0..<connections {
          group.addTask {
            var accepted: [String] = []
            var turn = connection
            while !Task.isCancelled {
              let service = services[turn % services.count]
              turn += 1
              // An instance that is killed meanwhile does not answer: nobody knows then, and nothing is claimed.
              guard let order = try? await service.placeOrder(of: product, customer: "customer-\(connection)") else {
                try? await Task.sleep(for: .milliseconds(20))
                continue
              }
              accepted.append(order)
              if Double.random(in: 0..<1) < share {
                _ = try? await service.send("POST", "/orders/\(order)/cancel", json: "{}")
              }
            }
            return accepted
          }
        }
        return try await group.reduce(into: []) { $0 += $1 }
      }
    }
  }

  /// Ends the load; returns the ids of the orders that were answered with 201.
  func stop() async throws -> [String] {
    task.cancel()
    return try await task.value
  }
}

/// A topic's records as kcat reads them, each partition's in order.
func records(of topic: String, at bootstrapServers: String) async throws -> [JSONObject] {
  let kcat = try #require(ChildProcess.find("kcat"), "kcat is not installed")
  let read = try await ChildProcess.run(
    kcat, ["-C", "-b", bootstrapServers, "-t", topic, "-o", "beginning", "-e", "-q", "-f", "%s\\n"])
  return try read.output.split(separator: "\n").compactMap { try JSONValue(parsing: Array($0.utf8)).object }
}

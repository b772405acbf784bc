import Foundation
import Logging
import Messaging
import MessagingKafka
import Synchronization
import TestSupport
import Testing
import WireFormat

/// Clients that order and cancel, whatever becomes of the service meanwhile.
///
/// What is not answered may have been done, or not: nothing is said of it. But half of the orders have an idempotency
/// key, and are asked for until there is an answer: of those there must be one each. Their customer has the key's name.
final class OrdersUnderWay: Sendable {
  static let products = ["keyboard", "lamp", "mouse", "screen"]

  private let stack: RunningStack
  private let seed: UInt64
  private let answered = Mutex<[String]>([])

  init(_ stack: RunningStack, seed: UInt64) {
    self.stack = stack
    self.seed = seed
  }

  /// The orders that were answered with 201.
  var accepted: Set<String> { answered.withLock { Set($0) } }
  var count: Int { answered.withLock { $0.count } }

  /// Until it is cancelled.
  func keepComing() async {
    await withTaskGroup(of: Void.self) { group in
      for client in 0..<4 {
        group.addTask { [self] in
          var random = SeededGenerator(seed: seed &* 31 &+ UInt64(client))
          while !Task.isCancelled {
            await order(key: client.isMultiple(of: 2) ? "key-\(UUID().uuidString)" : nil, using: &random)
            // A person's pace: the matrix is about moments, not about throughput.
            try? await Task.sleep(for: .milliseconds(40))
          }
        }
      }
    }
  }

  private func order(key: String?, using random: inout SeededGenerator) async {
    let items = Self.products.shuffled(using: &random).prefix(Int.random(in: 2...3, using: &random)).map {
      #"{"product_id":"\#($0)","quantity":\#(Int.random(in: 1...3, using: &random)),"unit_price":4.50}"#
    }
    let body = #"{"customer_id":"\#(key ?? "c")","items":[\#(items.joined(separator: ","))]}"#
    let headers = key.map { [(name: "Idempotency-Key", value: $0)] } ?? []
    var answer: ServiceAnswer?
    repeat {
      answer = try? await stack.orders.send("POST", "/orders", json: body, headers: headers)
    } while answer?.status != 201 && key != nil && !Task.isCancelled
    guard let answer, answer.status == 201, let order = try? answer.json()["order_id"]?.string else { return }
    answered.withLock { $0.append(order) }
    guard Int.random(in: 0..<4, using: &random) == 0 else { return }
    _ = try? await stack.orders.send("POST", "/orders/\(order)/cancel", json: "{}")
  }
}

/// What others write to the topics: what nobody can read, and orders of another shop, the later version first.
final class TroubleOnTopics: Sendable {
  private let producer: any MessageProducer
  private let seed: Int
  private let written = Mutex(0)

  init(bootstrapServers: String, seed: Int) throws {
    let broker = KafkaBroker(
      configuration: KafkaConfiguration(bootstrapServers: bootstrapServers),
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    producer = try broker.makeProducer()
    self.seed = seed
  }

  deinit { producer.close(timeout: .seconds(1)) }

  /// Until it is cancelled.
  func keepComing() async {
    while !Task.isCancelled {
      do { try write() } catch { Issue.record(error) }
      try? await Task.sleep(for: .milliseconds(1_500))
    }
  }

  private func write() throws {
    let number = written.withLock { number in
      number += 1
      return number
    }
    let garbage = ["orders", "inventory"].flatMap { topic in
      (0..<6).map { index in
        OutgoingMessage(topic: topic, key: Array("garbage-\(index)".utf8), value: Array("not JSON \(number)".utf8))
      }
    }
    let foreign = (0..<4).flatMap { index in
      let order = "foreign-\(seed)-\(number)-\(index)"
      return [event("ORDER_CONFIRMED", 2, of: order), event("ORDER_CREATED", 1, of: order)]
    }
    let messages = (garbage + foreign).enumerated().map { (token: UInt64($0.offset), message: $0.element) }
    _ = try producer.enqueue(messages)
    _ = producer.deliveries(timeout: .zero)
  }

  private func event(_ type: String, _ version: Int, of order: String) -> OutgoingMessage {
    let value = """
      {"event_id":"\(order)-\(version)","event_type":"\(type)","schema_version":1,"order_id":"\(order)",\
      "order_version":\(version),"customer_id":"grace",\
      "items":[{"product_id":"keyboard","quantity":1,"unit_price":1.50}],"total":1.50,\
      "timestamp":"2026-11-22T20:21:07Z"}
      """
    return OutgoingMessage(topic: "orders", key: Array(order.utf8), value: Array(value.utf8))
  }
}

/// Somebody who does what can be done about dead letters, without knowing what for: one is redriven, one is discarded,
/// and a little of what was published is published again.
struct Operator: Sendable {
  private let services: [ServiceClient]

  init(_ stack: RunningStack) { services = [stack.orders, stack.inventory, stack.notifications] }

  /// Until it is cancelled.
  func keepWorking() async {
    await withTaskGroup(of: Void.self) { group in
      for service in services {
        group.addTask {
          while !Task.isCancelled {
            try? await work(at: service)
            try? await Task.sleep(for: .milliseconds(500))
          }
        }
      }
    }
  }

  private func work(at service: ServiceClient) async throws {
    let page = try await service.get("/dead-letters?status=open&limit=2").json()
    let ids = (page["dead_letters"]?.array ?? []).compactMap { $0.object?["id"]?.number?.int64 }
    for (id, action) in zip(ids, ["redrive", "discard"]) {
      _ = try await service.send("POST", "/dead-letters/\(id)/\(action)", json: #"{"reason":"tried"}"#)
    }
    _ = try await service.send("POST", "/outbox/replay", json: #"{"limit":5}"#)
  }
}

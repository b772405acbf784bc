import EventSchema
import Foundation
import Messaging
import MessagingKafka
import WireFormat

/// Waits until nothing is on its way any more.
struct Settling: Sendable {
  let stack: Stack
  let progress: Progress

  /// Between two questions; there is nothing to be woken by.
  static let pause = Duration.milliseconds(200)

  /// - Returns: what was still on its way when `patience` ended; nil as soon as all is quiet.
  func wait(upTo patience: Duration) async throws -> String? {
    let deadline = ContinuousClock.now + patience
    let admin = try KafkaAccess.broker(of: stack, environment: ProcessInfo.processInfo.environment).makeKafkaAdmin()
    defer { admin.close() }
    while true {
      guard let unrest = try await unrest(admin) else { return nil }
      guard .now < deadline else { return unrest }
      progress.show("waiting:", unrest)
      try await Task.sleep(for: Self.pause)
    }
  }

  /// Looks along the way of an order, so that what has passed one place is seen at the next: once it is quiet from end
  /// to end, and nobody orders or cancels, it stays so.
  private func unrest(_ admin: KafkaAdmin) async throws -> String? {
    let services = stack.clients
    if let pending = try await pendingOrders() { return pending }
    if let waiting = try await unpublished(services.order) { return waiting }
    if let behind = try await lag(of: services.notification, admin) { return behind }
    if let behind = try await lag(of: services.inventory, admin) { return behind }
    if let waiting = try await unpublished(services.notification) { return waiting }
    if let waiting = try await unpublished(services.inventory) { return waiting }
    if let behind = try await lag(of: services.order, admin) { return behind }
    if let waiting = try await unpublished(services.order) { return waiting }
    return try await pendingOrders()
  }

  private func pendingOrders() async throws -> String? {
    let page = try await stack.clients.order.get("/orders", query: [("status", "PENDING"), ("limit", "1")])
    return page["orders"]?.array?.isEmpty ?? true ? nil : "orders are PENDING"
  }

  private func unpublished(_ service: ServiceClient) async throws -> String? {
    let page = try await service.get("/outbox", query: [("limit", "1")])
    guard let status = page["status"]?.object, let count = status["unpublished"]?.number?.int64 else {
      throw Failure("\(service.name) answered GET /outbox without status.unpublished")
    }
    if status["is_epoch_ready"]?.bool == false { return "\(service.name) has a new epoch to make ready" }
    return count == 0 ? nil : "\(service.name) has \(count.grouped) events to publish"
  }

  private func lag(of service: ServiceClient, _ admin: KafkaAdmin) async throws -> String? {
    let consumers = try await service.get("/consumers")["consumers"]?.array ?? []
    for consumer in consumers.compactMap(\.object) {
      guard let group = consumer["group"]?.string else { continue }
      let topics = Set((consumer["topics"]?.array ?? []).compactMap(\.string))
      let lag = try await KafkaAccess.blocking(stack) { try Self.lag(of: group, topics: topics, admin) }
      if lag > 0 { return "\(group) has \(lag.grouped) records to read" }
    }
    return nil
  }

  private static func lag(of group: String, topics: Set<String>, _ admin: KafkaAdmin) throws -> Int64 {
    let present = try admin.topics(timeout: KafkaAccess.timeout).filter { topics.contains($0.key) }
    let partitions = present.flatMap { topic, count in
      (0..<Int32(clamping: count)).map { TopicPartition(topic, $0) }
    }
    var ends: [TopicPartition: Range<Int64>] = [:]
    for partition in partitions {
      let (start, end) = try admin.watermarks(of: partition, timeout: KafkaAccess.timeout)
      ends[partition] = start..<max(start, end)
    }
    let committed = try admin.committed(group: group, partitions: partitions, timeout: KafkaAccess.timeout)
    return ends.reduce(0) { sum, entry in
      sum + max(0, entry.value.upperBound - max(committed[entry.key] ?? 0, entry.value.lowerBound))
    }
  }
}

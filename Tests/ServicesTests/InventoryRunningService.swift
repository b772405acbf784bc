import Dispatch
import EventSchema
import Logging
import Messaging
import ServiceDefaults
import ServiceLifecycle
import Testing

/// Runs a service's own long-lived parts (relay, worker and the rest) over a broker in memory while `body` runs, and
/// stops them gracefully.
func running(
  _ services: [any Service], _ body: @escaping @Sendable () async throws -> Void
) async throws {
  let group = ServiceGroup(services: services, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
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

extension InMemoryBroker {
  /// Writes events to their topics, as a producer of anybody's would.
  func produce(_ events: [Event]) throws {
    let producer = try makeProducer()
    let messages = events.enumerated().map { index, event in
      (
        token: UInt64(index),
        message: OutgoingMessage(topic: event.topic, key: event.key, value: event.encoded())
      )
    }
    #expect(try producer.enqueue(messages) == events.count)
    producer.close(timeout: .seconds(1))
  }

  /// Writes bytes to `orders`, whatever they are.
  func produce(key: String?, value: String?) throws {
    let producer = try makeProducer()
    let message = OutgoingMessage(
      topic: Topics.orders, key: key.map { Array($0.utf8) }, value: value.map { Array($0.utf8) })
    #expect(try producer.enqueue([(token: 0, message: message)]) == 1)
    producer.close(timeout: .seconds(1))
  }

  /// Until `group` has committed all of `orders`.
  func everyOrderEventIsConsumed(by group: String) async -> Bool {
    await offThePool { self.waitUntilConsumed(Topics.orders, by: group, atMost: .seconds(60)) }
  }

  func hasRecords(_ count: Int, of topic: String) async -> Bool {
    await offThePool { self.waitForRecords(count, of: topic, atMost: .seconds(60)) }
  }
}

/// Runs what blocks on a thread that is not the cooperative pool's.
private func offThePool<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
  await withCheckedContinuation { continuation in
    DispatchQueue.global().async { continuation.resume(returning: work()) }
  }
}

import EventSchema
import Foundation
import Messaging
import MessagingKafka
import Synchronization

/// Puts records on the topics that no service put there: copies of earlier ones, and garbage. It reads along to know what
/// to copy, and writes with a producer of its own.
final class StrayRecords: Sendable {
  /// How many earlier records are remembered; beyond that a random one makes room.
  static let remembered = 5_000

  private struct State {
    var records: [OutgoingMessage] = []
    var seen = 0
    var random: SeededRandom
    var written = 0
    var acknowledged = 0
  }

  private let state: Mutex<State>
  private let reader: TopicReader
  private let producer: any MessageProducer
  private let isStopping = Atomic(false)
  private let work = Mutex<[Task<Void, any Error>]>([])

  /// - Throws: ``BrokerError``. Blocks until the topics are found.
  init(broker: KafkaBroker, seed: UInt64) throws {
    state = Mutex(State(random: SeededRandom(seed: seed)))
    reader = try broker.makeReader(topics: Topics.events, from: .earliest, timeout: KafkaAccess.timeout)
    producer = try broker.makeProducer()
  }

  /// Begins to read along. Call ``close()`` at the end.
  func start() {
    let tasks = [
      Task { [self] in
        try await DedicatedThread.run(named: "stray-reader") { [self] in
          while !isStopping.load(ordering: .acquiring) {
            remember(try reader.read(maximum: 500, timeout: .milliseconds(500)))
          }
        }
      },
      Task { [self] in
        try await DedicatedThread.run(named: "stray-writer") { [self] in
          while !isStopping.load(ordering: .acquiring) { collectReports(timeout: .milliseconds(500)) }
        }
      },
    ]
    work.withLock { $0 = tasks }
  }

  /// - Returns: how many were written; fewer than asked for where there are not so many to copy.
  func copy(_ count: Int, seed: UInt64) throws -> Int {
    var random = SeededRandom(seed: seed)
    let records = state.withLock { state in
      (0..<min(count, state.records.count)).compactMap { _ in state.records.randomElement(using: &random) }
    }
    return try write(records)
  }

  @discardableResult
  func write(_ records: [OutgoingMessage]) throws -> Int {
    let accepted = try producer.enqueue(records.enumerated().map { (UInt64($0.offset), $0.element) })
    state.withLock { $0.written += accepted }
    return accepted
  }

  /// Returns when everything written has arrived or `patience` has passed, and nothing more will.
  func close(patience: Duration) async {
    let deadline = ContinuousClock.now + patience
    while .now < deadline, state.withLock({ $0.acknowledged < $0.written }) {
      try? await Task.sleep(for: .milliseconds(50))
    }
    isStopping.store(true, ordering: .releasing)
    reader.wake()
    producer.wake()
    for task in work.withLock({ $0 }) { try? await task.value }
    try? await DedicatedThread.run(named: "stray-close") { [self] in
      reader.close()
      producer.close(timeout: .seconds(1))
    }
  }

  private func collectReports(timeout: Duration) {
    let reports = producer.deliveries(timeout: timeout)
    state.withLock { $0.acknowledged += reports.count }
  }

  private func remember(_ records: [ConsumedRecord]) {
    state.withLock { state in
      for record in records {
        let message = OutgoingMessage(
          topic: record.topic, key: record.key, value: record.value, headers: record.headers)
        state.seen += 1
        if state.records.count < Self.remembered {
          state.records.append(message)
        } else {
          let place = Int.random(in: 0..<state.seen, using: &state.random)
          if place < Self.remembered { state.records[place] = message }
        }
      }
    }
  }
}

import Foundation
import Logging
import Messaging
import MessagingKafka
import Synchronization
import Testing

/// What the contract suite runs over. A real Kafka only where `KAFKA_BOOTSTRAP_SERVERS` names one.
enum BrokerUnderTest: String, Sendable, CaseIterable, CustomTestStringConvertible {
  case inMemory
  case embedded
  case real

  static let available = allCases.filter { $0 != .real || realServers != nil }

  fileprivate static let realServers = ProcessInfo.processInfo.environment["KAFKA_BOOTSTRAP_SERVERS"]

  var testDescription: String { rawValue }

  /// One broker for all tests of a process: every test has topics and groups of its own.
  var broker: any Broker {
    get throws {
      switch self {
      case .inMemory: Self.inMemoryBroker
      case .embedded: kafkaBroker(on: try Self.embeddedBroker.get())
      case .real: KafkaBroker(configuration: testConfiguration(Self.realServers ?? ""), logger: quietLogger)
      }
    }
  }

  /// - Returns: the new topic's name, which nobody else uses.
  func makeTopic(partitions: Int) throws -> String {
    let name = uniqueName("topic")
    switch self {
    case .embedded:
      try Self.embeddedBroker.get().createTopic(name, partitions: partitions)
    case .inMemory, .real:
      let admin = try broker.makeAdmin()
      defer { admin.close() }
      let topic = TopicSpecification(name: name, partitions: partitions, replicationFactor: 1)
      try admin.createTopics([topic], timeout: .seconds(30))
    }
    return name
  }

  private static let inMemoryBroker = InMemoryBroker()
  private static let embeddedBroker = Result { try EmbeddedBroker() }
}

/// What goes wrong is on the errors and reports; the clients' chatter about it is not wanted in a test's output.
let quietLogger: Logger = {
  var logger = Logger(label: "kafka.tests")
  logger.logLevel = ProcessInfo.processInfo.environment["KAFKA_TEST_LOG"] == nil ? .critical : .debug
  return logger
}()

/// The embedded broker sleeps `fetch.wait.max.ms` whenever it has nothing, even if something comes.
func testConfiguration(
  _ servers: String, producer: [String: String] = [:], consumer: [String: String] = [:]
) -> KafkaConfiguration {
  KafkaConfiguration(
    bootstrapServers: servers,
    producer: ["linger.ms": "1"].merging(producer) { $1 },
    consumer: ["fetch.wait.max.ms": "10", "auto.commit.interval.ms": "200"].merging(consumer) { $1 })
}

func kafkaBroker(
  on embedded: EmbeddedBroker, producer: [String: String] = [:], consumer: [String: String] = [:]
) -> KafkaBroker {
  KafkaBroker(
    configuration: testConfiguration(embedded.bootstrapServers, producer: producer, consumer: consumer),
    logger: quietLogger)
}

func uniqueName(_ kind: String) -> String {
  "\(kind)-\(String(UInt64.random(in: 0 ... .max), radix: 36))"
}

/// Runs `body` on a thread of its own: the calls of the seam block, and must not block the test runner's.
func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
  // As an executor, so that the task, and with it the test that an issue belongs to, comes along.
  try await Task(executorPreference: OwnThread()) { try body() }.value
}

private final class OwnThread: TaskExecutor {
  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    Thread { job.runSynchronously(on: self.asUnownedTaskExecutor()) }.start()
  }
}

struct NotInTime: Error, CustomStringConvertible {
  var description: String
}

/// Calls `step`, which is to wait for something by itself, until `isDone`.
func proceed(
  _ what: String, within limit: Duration = .seconds(60), until isDone: () throws -> Bool, _ step: () throws -> Void
) throws {
  let end = ContinuousClock.now + limit
  while try !isDone() {
    guard ContinuousClock.now < end else { throw NotInTime(description: "not within \(limit): \(what)") }
    try step()
  }
}

// MARK: - Both ends

/// Hands messages over and waits for their reports, in the order of the messages.
@discardableResult
func publish(
  _ messages: [OutgoingMessage], with producer: any MessageProducer
) throws -> [Result<RecordPosition, BrokerError>] {
  var rest = messages.enumerated().map { (token: UInt64($0.offset), message: $0.element) }[...]
  var reports: [UInt64: Result<RecordPosition, BrokerError>] = [:]
  try proceed("reports of \(messages.count) messages", until: { reports.count == messages.count }) {
    rest = rest.dropFirst(try producer.enqueue(Array(rest)))
    for report in producer.deliveries(timeout: .seconds(1)) {
      #expect(reports.updateValue(report.result, forKey: report.token) == nil, "a message was reported twice")
    }
  }
  return try messages.indices.map { try #require(reports[UInt64($0)]) }
}

func publish(_ messages: [OutgoingMessage], through broker: any Broker) throws {
  let producer = try broker.makeProducer()
  defer { producer.close(timeout: .seconds(5)) }
  for report in try publish(messages, with: producer) {
    _ = try report.get()
  }
}

/// Numbered messages, all of one key or of their own.
func numbered(_ range: Range<Int>, in topic: String, key: String? = nil) -> [OutgoingMessage] {
  range.map { OutgoingMessage(topic: topic, key: Array((key ?? "key-\($0)").utf8), value: Array("\($0)".utf8)) }
}

func number(of record: ConsumedRecord) -> Int {
  record.value.flatMap { Int(String(decoding: $0, as: UTF8.self)) } ?? -1
}

/// Polls until there are `count` records, or more.
func receive(
  _ count: Int, from consumer: any MessageConsumer, within limit: Duration = .seconds(60)
) throws -> [ConsumedRecord] {
  var records: [ConsumedRecord] = []
  try proceed("\(count) records", within: limit, until: { records.count >= count }) {
    records += try consumer.poll(maximum: 1000, timeout: .milliseconds(500))
  }
  return records
}

/// Everything before these next offsets has been handled.
func nextOffsets(after records: [ConsumedRecord]) -> [TopicPartition: Int64] {
  records.reduce(into: [:]) { next, record in
    next[record.topicPartition] = max(next[record.topicPartition] ?? 0, record.offset + 1)
  }
}

// MARK: - Listeners and members

/// Keeps what it was told, and says where to start.
final class RecordingListener: PartitionListener {
  struct Told: Sendable {
    var assigned: [[TopicPartition: CommittedState]] = []
    var revoked: [Set<TopicPartition>] = []
    var lost = 0
    var holding: Set<TopicPartition> = []
  }

  private let told = Mutex(Told())
  private let start: @Sendable (TopicPartition, CommittedState) -> StartOffset?
  private let onRevoke: @Sendable (Set<TopicPartition>) -> Void

  init(
    onRevoke: @escaping @Sendable (Set<TopicPartition>) -> Void = { _ in },
    start: @escaping @Sendable (TopicPartition, CommittedState) -> StartOffset? = { _, _ in nil }
  ) {
    self.start = start
    self.onRevoke = onRevoke
  }

  var history: Told { told.withLock { $0 } }
  var holding: Set<TopicPartition> { told.withLock { $0.holding } }

  func assigned(_ partitions: [TopicPartition: CommittedState]) -> [TopicPartition: StartOffset] {
    told.withLock { told in
      told.assigned.append(partitions)
      told.holding.formUnion(partitions.keys)
    }
    return partitions.reduce(into: [:]) { $0[$1.key] = start($1.key, $1.value) }
  }

  func revoked(_ partitions: Set<TopicPartition>, lost: Bool) {
    onRevoke(partitions)
    told.withLock { told in
      told.revoked.append(partitions)
      told.lost += lost ? 1 : 0
      told.holding.subtract(partitions)
    }
  }
}

/// A group member on a thread of its own, that stores what it has got after every batch.
final class PollingMember: Sendable {
  let consumer: any MessageConsumer
  let listener = RecordingListener()
  private let records = Mutex<[ConsumedRecord]>([])
  private let isStopping = Atomic(false)
  private let hasEnded = DispatchSemaphore(value: 0)

  init(_ broker: any Broker, group: String, topics: [String]) throws {
    consumer = try broker.makeConsumer(group: group, topics: topics, listener: listener)
    Thread { [self] in run() }.start()
  }

  var received: [ConsumedRecord] { records.withLock { $0 } }

  private func run() {
    while !isStopping.load(ordering: .acquiring) {
      guard let batch = try? consumer.poll(maximum: 100, timeout: .milliseconds(500)) else { break }
      records.withLock { $0 += batch }
      consumer.store(next: nextOffsets(after: batch))
    }
    consumer.close()
    hasEnded.signal()
  }

  /// Leaves the group, and returns when it has.
  func stop() {
    isStopping.store(true, ordering: .releasing)
    consumer.wake()
    hasEnded.wait()
    hasEnded.signal()
  }
}

// MARK: - Logs

/// Keeps what is logged, for tests that wait for the Kafka client to have noticed something.
final class LogLines: Sendable {
  private let lines = Mutex<[String]>([])
  private let hasMore = DispatchSemaphore(value: 0)

  var logger: Logger {
    var logger = Logger(label: "kafka.tests") { _ in Handler(lines: self) }
    logger.logLevel = .info
    return logger
  }

  var all: [String] { lines.withLock { $0 } }

  /// Blocks until a line has `text` in it.
  func wait(for text: String, within limit: Duration) -> Bool {
    let end = ContinuousClock.now + limit
    while !all.contains(where: { $0.contains(text) }) {
      guard ContinuousClock.now < end else { return false }
      _ = hasMore.wait(timeout: .now() + 0.5)
    }
    return true
  }

  private struct Handler: LogHandler {
    let lines: LogLines
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    subscript(metadataKey key: String) -> Logger.MetadataValue? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      lines.lines.withLock { $0.append("\(event.level) \(event.message) \(event.metadata ?? [:])") }
      lines.hasMore.signal()
    }
  }
}

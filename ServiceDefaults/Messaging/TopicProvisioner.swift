import Logging
import Messaging
import ServiceLifecycle
import Synchronization

/// Makes the topics that are missing, and waits for a broker that is not there. Nothing else of a service waits for it:
/// orders are taken meanwhile.
///
/// A broker that cannot make topics (the embedded one) is waited for until somebody else has made them. Topics that are
/// there are left as they are, and their number of partitions is taken as it is, unless the configuration demands one.
public final class TopicProvisioner: Service {
  public enum State: Sendable, Hashable {
    case starting
    /// The broker does not answer.
    case waitingForBroker(String)
    /// The broker answers, and neither has these topics nor can they be made.
    case waitingForTopics([String], String)
    case ready

    /// Whether only the wording differs: a broker's reasons hold times and ports.
    func isLike(_ other: State) -> Bool {
      switch (self, other) {
      case (.starting, .starting), (.waitingForBroker, .waitingForBroker), (.ready, .ready): true
      case (.waitingForTopics(let topics, _), .waitingForTopics(let others, _)): topics == others
      default: false
      }
    }
  }

  private let topics: [TopicSpecification]
  private let demandsPartitions: Bool
  private let broker: any Broker
  private let logger: Logger
  private let pause: Duration
  private let current = Mutex(State.starting)
  private let wake = WakeSignal()
  private let isStopped = Mutex(false)
  /// Topics of which it has been said that they are different.
  private let noted = Mutex<Set<String>>([])

  /// - Parameters:
  ///   - demandsPartitions: whether a topic with another number of partitions than specified ends the service.
  ///   - pause: between two attempts.
  public init(
    topics: [TopicSpecification], demandsPartitions: Bool = false, broker: any Broker, pause: Duration = .seconds(1),
    logger: Logger
  ) {
    self.topics = topics
    self.demandsPartitions = demandsPartitions
    self.broker = broker
    self.pause = pause
    self.logger = logger
  }

  public var state: State { current.withLock { $0 } }

  /// Runs until the graceful shutdown; its blocking calls are on a thread of their own.
  ///
  /// - Throws: ``OtherPartitions`` where the configuration demands a number.
  public func run() async throws {
    try await withTaskCancellationOrGracefulShutdownHandler {
      try await DedicatedThread.run(named: "topics") { try self.provision() }
      try? await gracefulShutdown()
    } onCancelOrGracefulShutdown: {
      self.isStopped.withLock { $0 = true }
      self.wake.wake()
    }
  }

  private func provision() throws(OtherPartitions) {
    while !isStopped.withLock({ $0 }) {
      let next = try attempt()
      let previous = current.withLock { state in
        defer { state = next }
        return state
      }
      if !next.isLike(previous) { report(next) }
      if next == .ready { return }
      wake.wait(atMost: pause)
    }
  }

  private func attempt() throws(OtherPartitions) -> State {
    let admin: any BrokerAdmin
    let there: [String: Int]
    do {
      admin = try broker.makeAdmin()
    } catch {
      return .waitingForBroker("\(error)")
    }
    defer { admin.close() }
    do {
      there = try admin.topics(timeout: .seconds(2))
    } catch {
      return .waitingForBroker("\(error)")
    }
    try judgePartitions(there)
    let missing = topics.filter { there[$0.name] == nil }
    guard !missing.isEmpty else { return .ready }
    do {
      try admin.createTopics(missing, timeout: .seconds(5))
      logger.info("Topics made", metadata: ["topics": "\(missing.map(\.name))"])
      return .ready
    } catch {
      return .waitingForTopics(missing.map(\.name), "\(error)")
    }
  }

  private func report(_ state: State) {
    switch state {
    case .starting: break
    case .waitingForBroker(let reason):
      logger.warning("Waiting for the broker", metadata: ["reason": "\(reason)"])
    case .waitingForTopics(let topics, let reason):
      logger.warning(
        "Waiting for topics that cannot be made", metadata: ["topics": "\(topics)", "reason": "\(reason)"])
    case .ready: logger.info("Topics are there", metadata: ["topics": "\(topics.map(\.name))"])
    }
  }

  /// A key's partition follows from the number of partitions, so nobody changes that by himself.
  private func judgePartitions(_ there: [String: Int]) throws(OtherPartitions) {
    for topic in topics {
      guard let partitions = there[topic.name], partitions != topic.partitions else { continue }
      let difference = OtherPartitions(topic: topic.name, partitions: partitions, demanded: topic.partitions)
      guard !demandsPartitions else { throw difference }
      guard noted.withLock({ $0.insert(topic.name).inserted }) else { continue }
      logger.notice(
        "A topic has another number of partitions than we would have made, and keeps it",
        metadata: ["topic": "\(topic.name)", "partitions": "\(partitions)", "default": "\(topic.partitions)"])
    }
  }
}

/// A topic has another number of partitions than the configuration demands.
public struct OtherPartitions: Error, Sendable, Hashable, CustomStringConvertible {
  public var topic: String
  public var partitions: Int
  public var demanded: Int

  public var description: String {
    """
    KAFKA_TOPIC_PARTITIONS: the topic \(topic) has \(partitions) partitions, and not \(demanded). A key's partition \
    follows from that number: if it was changed on purpose, say \(partitions) here; if topics are to be taken as they \
    are, leave the key out
    """
  }
}

extension TopicSpecification {
  /// The topics a service needs, as its configuration wants them. Dead letters are kept for ever.
  static func all(for configuration: ServiceConfiguration) -> [TopicSpecification] {
    let deadLetters = Set(configuration.identity.deadLetterTopics)
    let retention = Int64(configuration.topicRetention / .milliseconds(1))
    return configuration.identity.topics.map { name in
      TopicSpecification(
        name: name, partitions: configuration.topicPartitions,
        replicationFactor: configuration.topicReplicationFactor,
        configuration: ["retention.ms": deadLetters.contains(name) ? "-1" : "\(retention)"])
    }
  }
}

import Logging
import Messaging
import ServiceLifecycle
import Synchronization

/// Makes the topics that are missing, and waits for a broker that is not there. Nothing else of a service waits for it:
/// orders are taken meanwhile.
///
/// A broker that cannot make topics (the embedded one) is waited for until somebody else has made them. Topics that are
/// there are left as they are.
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
  private let broker: any Broker
  private let logger: Logger
  private let pause: Duration
  private let current = Mutex(State.starting)
  private let wake = WakeSignal()
  private let isStopped = Mutex(false)

  /// - Parameter pause: between two attempts.
  public init(
    topics: [TopicSpecification], broker: any Broker, pause: Duration = .seconds(1), logger: Logger
  ) {
    self.topics = topics
    self.broker = broker
    self.pause = pause
    self.logger = logger
  }

  public var state: State { current.withLock { $0 } }

  /// Runs until the graceful shutdown; its blocking calls are on a thread of their own.
  public func run() async throws {
    try await withTaskCancellationOrGracefulShutdownHandler {
      try await DedicatedThread.run(named: "topics") { self.provision() }
      try? await gracefulShutdown()
    } onCancelOrGracefulShutdown: {
      self.isStopped.withLock { $0 = true }
      self.wake.wake()
    }
  }

  private func provision() {
    while !isStopped.withLock({ $0 }) {
      let next = attempt()
      let previous = current.withLock { state in
        defer { state = next }
        return state
      }
      if !next.isLike(previous) { report(next) }
      if next == .ready { return }
      wake.wait(atMost: pause)
    }
  }

  private func attempt() -> State {
    do {
      let admin = try broker.makeAdmin()
      defer { admin.close() }
      let there = try admin.topics(timeout: .seconds(2))
      let missing = topics.filter { there[$0.name] == nil }
      if missing.isEmpty {
        warnOfOtherPartitions(there)
        return .ready
      }
      do {
        try admin.createTopics(missing, timeout: .seconds(5))
        logger.info("Topics made", metadata: ["topics": "\(missing.map(\.name))"])
        return .ready
      } catch {
        return .waitingForTopics(missing.map(\.name), "\(error)")
      }
    } catch {
      return .waitingForBroker("\(error)")
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
  private func warnOfOtherPartitions(_ there: [String: Int]) {
    for topic in topics {
      guard let partitions = there[topic.name], partitions != topic.partitions else { continue }
      logger.notice(
        "A topic has another number of partitions than configured, and keeps it",
        metadata: ["topic": "\(topic.name)", "partitions": "\(partitions)", "configured": "\(topic.partitions)"])
    }
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

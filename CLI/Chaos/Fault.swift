import ArgumentParser
import MessagingKafka

/// The kinds of faults, by the names of `--faults`.
enum FaultKind: String, Sendable, CaseIterable, ExpressibleByArgument {
  /// kill -9 of a service's process.
  case kill
  /// SIGTERM: the process ends in order and is started again.
  case restart
  /// SIGSTOP, often past the group's session timeout, then SIGCONT.
  case pause
  /// The broker hangs up and takes no connection for a while.
  case broker
  /// The broker answers some requests with errors.
  case errors
  /// The broker's answers take long.
  case delay
  /// A partition has no leader for a while: its records are late, those of others are not.
  case leader
  /// Earlier records are there once more.
  case copies
  /// Records that no service of ours writes.
  case garbage
  /// The stores' disk has no room left.
  case disk

  /// How often a kind comes, against the others.
  var weight: Int {
    switch self {
    case .kill, .pause: 4
    case .errors, .copies: 3
    case .restart, .broker, .delay, .leader, .garbage: 2
    case .disk: 1
    }
  }
}

/// One thing that goes wrong.
enum Fault: Sendable, Hashable {
  case kill(ProcessChoice)
  case restart(ProcessChoice)
  case pause(ProcessChoice, Duration)
  case brokerDown(Duration)
  case requestErrors(RequestErrors)
  case slowBroker(roundTrip: Duration, Duration)
  case noLeader(topic: String, partition: Int32, Duration)
  /// - Parameter seed: chooses the records among those that have been read by then.
  case copies(Int, seed: UInt64)
  case garbage(Garbage, topic: String, seed: UInt64)
  case fullDisk(Duration)

  var kind: FaultKind {
    switch self {
    case .kill: .kill
    case .restart: .restart
    case .pause: .pause
    case .brokerDown: .broker
    case .requestErrors: .errors
    case .slowBroker: .delay
    case .noLeader: .leader
    case .copies: .copies
    case .garbage: .garbage
    case .fullDisk: .disk
    }
  }

  /// How long it lasts; zero for what is over at once.
  var length: Duration {
    switch self {
    case .pause(_, let length), .brokerDown(let length), .slowBroker(_, let length), .noLeader(_, _, let length),
      .fullDisk(let length):
      length
    case .kill, .restart, .requestErrors, .copies, .garbage: .zero
    }
  }

  /// What two faults cannot use at the same time; nil where that does not matter.
  var resource: String? {
    switch self {
    case .pause(let choice, _): "pause of \(choice)"
    case .brokerDown, .slowBroker, .fullDisk: kind.rawValue
    case .noLeader(let topic, let partition, _): "\(topic)[\(partition)]"
    case .kill, .restart, .requestErrors, .copies, .garbage: nil
    }
  }
}

extension Fault: CustomStringConvertible {
  var description: String {
    switch self {
    case .kill(let choice): "kill -9 of \(choice)"
    case .restart(let choice): "SIGTERM to \(choice)"
    case .pause(let choice, let length): "SIGSTOP of \(choice) for \(length.brief)"
    case .brokerDown(let length): "broker down for \(length.brief)"
    case .requestErrors(let errors): "\(errors.count) \(errors.request.rawValue) requests answered with \(errors.name)"
    case .slowBroker(let roundTrip, let length): "broker's answers take \(roundTrip.brief) for \(length.brief)"
    case .noLeader(let topic, let partition, let length): "\(topic)[\(partition)] without a leader for \(length.brief)"
    case .copies(let count, _): "\(count) copies of earlier records"
    case .garbage(let garbage, let topic, _): "on \(topic): \(garbage.rawValue)"
    case .fullDisk(let length): "disk full for \(length.brief)"
    }
  }
}

/// One of a service's processes. Which one follows from the draw and from how many there are, so that a plan does not
/// depend on the number of instances.
struct ProcessChoice: Sendable, Hashable, CustomStringConvertible {
  var service: String
  var draw: Int

  var description: String { service }

  func plan(among plans: [ServicePlan]) -> ServicePlan? {
    let candidates = plans.filter { $0.service == service }
    return candidates.isEmpty ? nil : candidates[draw % candidates.count]
  }
}

/// Wrong answers of the broker to the next requests of one kind.
struct RequestErrors: Sendable, Hashable {
  enum Request: String, Sendable, CaseIterable {
    case produce, fetch, metadata, offsetCommit, offsetFetch, heartbeat, joinGroup, findCoordinator
  }

  /// What a broker that is in trouble answers: all of it passes.
  enum Answer: String, Sendable, CaseIterable {
    case disconnect, notLeader, requestTimedOut, notEnoughReplicas, coordinatorNotAvailable, rebalanceInProgress
  }

  var request: Request
  var answer: Answer
  var count: Int

  var name: String { answer.rawValue }

  /// The answers that make sense for a request.
  static func answers(to request: Request) -> [Answer] {
    switch request {
    case .produce: [.disconnect, .notLeader, .requestTimedOut, .notEnoughReplicas]
    case .fetch: [.disconnect, .notLeader]
    case .metadata: [.disconnect]
    case .offsetCommit: [.disconnect, .coordinatorNotAvailable, .rebalanceInProgress]
    case .offsetFetch, .joinGroup, .findCoordinator: [.disconnect, .coordinatorNotAvailable]
    case .heartbeat: [.disconnect, .coordinatorNotAvailable, .rebalanceInProgress]
    }
  }

  func push(to broker: EmbeddedBroker) throws {
    try broker.pushErrors(Array(repeating: fault, count: count), for: request.kafka)
  }

  private var fault: EmbeddedBroker.Fault {
    switch answer {
    case .disconnect: .disconnect
    case .notLeader: .notLeader
    case .requestTimedOut: .requestTimedOut
    case .notEnoughReplicas: .notEnoughReplicas
    case .coordinatorNotAvailable: .coordinatorNotAvailable
    case .rebalanceInProgress: .rebalanceInProgress
    }
  }
}

extension RequestErrors.Request {
  var kafka: EmbeddedBroker.Request {
    switch self {
    case .produce: .produce
    case .fetch: .fetch
    case .metadata: .metadata
    case .offsetCommit: .offsetCommit
    case .offsetFetch: .offsetFetch
    case .heartbeat: .heartbeat
    case .joinGroup: .joinGroup
    case .findCoordinator: .findCoordinator
    }
  }
}

import MessagingSQLite
import WireFormat

/// Something a service needs to do its work. Checks run at each `GET /ready`, so they have to be quick.
public struct ReadinessCheck: Sendable {
  public var name: String
  /// Nil when all is well, else the reason for people.
  public var check: @Sendable () async -> String?

  public init(_ name: String, check: @escaping @Sendable () async -> String?) {
    self.name = name
    self.check = check
  }
}

extension ReadinessCheck {
  /// The store is open, can be read, and its last commit worked.
  static func store(_ database: SQLiteDatabase) -> ReadinessCheck {
    ReadinessCheck("store") {
      if let trouble = database.statistics.trouble { return "the store cannot be written: \(trouble)" }
      do {
        _ = try await database.read { try Int.fetchOne($0, sql: "SELECT 1") }
        return nil
      } catch {
        return "the store cannot be read: \(error)"
      }
    }
  }
}

/// The answer to `GET /ready`.
struct ReadinessReport: JSONEncodable {
  var service: String
  var results: [(name: String, reason: String?)]
  var kafka: KafkaState

  var isReady: Bool { results.allSatisfy { $0.reason == nil } }

  /// Every reason why the service is not ready, in one line.
  var reason: String {
    results.compactMap { result in result.reason.map { "\(result.name): \($0)" } }.joined(separator: "; ")
  }

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("ready", isReady)
      json.member("service", service)
      writeDetails(to: &json)
    }
  }

  private func writeDetails(to json: inout JSONWriter) {
    json.member("checks", array: { writeChecks(to: &$0) })
    json.member("kafka", kafka)
  }

  private func writeChecks(to json: inout JSONWriter) {
    for result in results {
      json.object { json in
        json.member("name", result.name)
        json.member("ok", result.reason == nil)
        if let reason = result.reason { json.member("reason", reason) }
      }
    }
  }

  /// The same as a problem, for those who are not ready.
  var problem: Problem {
    var problem = Problem.unavailable(reason)
    var checks = JSONWriter()
    checks.array { writeChecks(to: &$0) }
    problem.extensions = [
      ("ready", false.jsonBytes), ("service", service.jsonBytes), ("checks", checks.bytes), ("kafka", kafka.jsonBytes),
    ]
    return problem
  }
}

/// How a service stands with its broker.
struct KafkaState: JSONEncodable {
  var topics: TopicProvisioner.State
  var isBrokerReachable: Bool
  var holdsLease: Bool
  /// Nil before the group has given this member its first assignment.
  var assignedPartitions: Int?
  var trouble: String?

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("state", state)
      json.member("reachable", isBrokerReachable)
      json.member("assigned_partitions", assignedPartitions)
      json.member("publishes", holdsLease)
      json.member("trouble", trouble ?? topicTrouble)
    }
  }

  private var state: String {
    switch topics {
    case .starting: "starting"
    case .waitingForBroker: "waiting for the broker"
    case .waitingForTopics(let topics, _): "waiting for the topics \(topics.joined(separator: ", "))"
    case .ready: assignedPartitions == nil ? "joining the group" : "joined"
    }
  }

  private var topicTrouble: String? {
    switch topics {
    case .waitingForBroker(let reason), .waitingForTopics(_, let reason): reason
    case .starting, .ready: nil
    }
  }

  /// Why no events can be handled yet.
  var whyNotConsuming: String? {
    assignedPartitions == nil ? state + ((trouble ?? topicTrouble).map { " (\($0))" } ?? "") : nil
  }
}

/// One service process that `up` keeps running.
struct ServicePlan: Sendable, Hashable {
  /// The executable's name.
  let service: String
  /// 1 is the one that `ready.json` names as the service; further ones share its database.
  let instance: Int
  let port: Int

  /// `OrderService`, `OrderService-2`.
  var processName: String { instance == 1 ? service : "\(service)-\(instance)" }
  var url: String { "http://127.0.0.1:\(port)" }

  /// The plans of a whole stack: of each service the first instance on the port base's next three ports, all others
  /// on the ports of `free`, which has to have enough.
  static func stack(portBase: Int, instances: Int, free: [Int]) -> [ServicePlan] {
    var free = free[...]
    return (1...instances).flatMap { instance in
      ServiceName.all.enumerated().map { index, service in
        let isFixed = instance == 1 && portBase > 0
        return ServicePlan(
          service: service, instance: instance, port: isFixed ? portBase + 1 + index : free.popFirst() ?? 0)
      }
    }
  }

  /// How many of the ports of ``stack(portBase:instances:free:)`` have to be free ones.
  static func freePortsNeeded(portBase: Int, instances: Int) -> Int {
    ServiceName.all.count * (portBase > 0 ? instances - 1 : instances)
  }
}

/// What every child of one `up` gets into its environment.
struct ChildEnvironment: Sendable, Hashable {
  /// The environment of `up`.
  var inherited: [String: String]
  var bootstrapServers: String
  var isEmbeddedBroker: Bool
  var paths: StatePaths
  /// The descriptor, in the child, of the pipe that closes when `up` is gone.
  var lifeline: Int32
  /// Whether people read the logs.
  var isTerminal: Bool

  func variables(for plan: ServicePlan) -> [String: String] {
    var variables = inherited
    // Each service has its own; one name for all would make them share one group.
    variables["KAFKA_CONSUMER_GROUP"] = nil
    if isEmbeddedBroker {
      for name in variables.keys where Self.securityPrefixes.contains(where: name.hasPrefix) { variables[name] = nil }
      variables.merge(Self.embeddedBrokerDefaults) { own, _ in own }
    }
    if isTerminal { variables.merge(["LOG_FORMAT": "text"]) { own, _ in own } }
    variables["HTTP_HOST"] = "127.0.0.1"
    variables["HTTP_PORT"] = String(plan.port)
    variables["DATABASE_PATH"] = paths.database(of: plan.service)
    variables["KAFKA_BOOTSTRAP_SERVERS"] = bootstrapServers
    variables["LIFELINE_FD"] = String(lifeline)
    return variables
  }

  /// The embedded broker speaks plain text only.
  private static let securityPrefixes = ["KAFKA_SECURITY_", "KAFKA_SASL_", "KAFKA_SSL_"]

  /// Its fetch sleeps the whole wait whenever it is empty, and it drops without a word what is beyond 5 MiB in a
  /// partition; so the wait is short, and relays stay within 3 MiB of the slowest group.
  private static let embeddedBrokerDefaults = [
    "KAFKA_CONSUMER_FETCH_WAIT_MAX_MS": "5",
    "KAFKA_PRODUCER_LINGER_MS": "1",
    "RELAY_MAX_UNCONSUMED_BYTES": "3145728",
  ]
}

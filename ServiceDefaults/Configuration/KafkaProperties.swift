import MessagingKafka

/// Properties of librdkafka that come straight from the configuration: `KAFKA_<NAME>` for both clients,
/// `KAFKA_PRODUCER_<NAME>` and `KAFKA_CONSUMER_<NAME>` for one; `_` stands for `.`:
/// `KAFKA_SASL_USERNAME` is `sasl.username`.
///
/// What carries the delivery guarantees is refused, with the key's name.
struct KafkaProperties {
  var common: [String: String] = [:]
  var producer: [String: String] = [:]
  var consumer: [String: String] = [:]
  var refusals: [ConfigurationError.Refusal] = []
  /// Which key a property came from, for errors that know the property only.
  private(set) var keys: [String: String] = [:]

  init(_ sources: ConfigurationSources, keys ownKeys: [ConfigurationKey]) {
    let own = Set(ownKeys.map(\.name))
    for key in sources.names(withPrefix: "KAFKA_") where !own.contains(key) && !Self.isServiceLink(key) {
      guard let value = sources.value(of: key, isSecret: Self.isSecret(key)) else { continue }
      add(key, value)
    }
  }

  private mutating func add(_ key: String, _ value: String) {
    if let property = Self.property(key, after: "KAFKA_PRODUCER_") {
      note(property, key) { $0.producer[property] = value }
    } else if let property = Self.property(key, after: "KAFKA_CONSUMER_") {
      note(property, key) { $0.consumer[property] = value }
    } else if let property = Self.property(key, after: "KAFKA_") {
      note(property, key) { $0.common[property] = value }
    }
  }

  private mutating func note(_ property: String, _ key: String, set: (inout Self) -> Void) {
    if let reason = KafkaConfiguration.refusedProperties[property] {
      refusals.append(.init(key: key, reason: "\(property) cannot be set: \(reason)"))
      return
    }
    keys[property] = key
    set(&self)
  }

  private static func property(_ key: String, after prefix: String) -> String? {
    guard key.hasPrefix(prefix), key.count > prefix.count else { return nil }
    return key.dropFirst(prefix.count).lowercased().replacing("_", with: ".")
  }

  /// Kubernetes tells every container of a service called `kafka` through `KAFKA_PORT`, `KAFKA_SERVICE_HOST` and so
  /// on (https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables); no property of
  /// librdkafka starts like that.
  private static func isServiceLink(_ key: String) -> Bool {
    key == "KAFKA_PORT" || key.hasPrefix("KAFKA_PORT_") || key.hasPrefix("KAFKA_SERVICE_")
  }

  private static func isSecret(_ key: String) -> Bool {
    ["PASSWORD", "SECRET", "KEY_PEM", "OAUTHBEARER"].contains { key.contains($0) }
  }
}

import Foundation
import Logging
import Messaging
import MessagingKafka

extension ServiceConfiguration {
  /// What `load` came to.
  public enum Loaded: Sendable {
    case configuration(ServiceConfiguration)
    /// `--help` was asked for.
    case help(String)
  }

  /// Reads the configuration from command line, environment and the file that `CONFIG_FILE` names; the first that
  /// has a key wins.
  ///
  /// - Parameters:
  ///   - arguments: without the program's name.
  ///   - isTerminal: whether standard error is one; decides the log format where nobody says.
  /// - Throws: ``ConfigurationError`` with every bad key.
  public static func load(
    _ identity: ServiceIdentity, arguments: [String], environment: [String: String], isTerminal: Bool = false
  ) throws(ConfigurationError) -> Loaded {
    let keys = ConfigurationKey.all(for: identity)
    let options = CommandLineOptions(arguments, keys: keys)
    if options.wantsHelp { return .help(helpText(identity)) }
    var sources = ConfigurationSources(arguments: options.values, environment: environment)
    var refusals = options.refusals
    if let path = sources.value(of: "CONFIG_FILE") {
      if let contents = FileManager.default.contents(atPath: path) {
        let file = ConfigurationFile(json: Array(contents), keys: keys)
        sources.file = file.values
        refusals += file.refusals
      } else {
        refusals.append(.init(key: "CONFIG_FILE", reason: "'\(path)' cannot be read"))
      }
    }
    var values = CheckedValues(sources: sources, keys: keys, refusals: refusals)
    let configuration = ServiceConfiguration(identity, from: &values, isTerminal: isTerminal)
    guard values.refusals.isEmpty else { throw ConfigurationError(values.refusals) }
    return .configuration(configuration)
  }

  private init(_ identity: ServiceIdentity, from values: inout CheckedValues, isTerminal: Bool) {
    self.init(identity: identity)
    httpHost = values.text("HTTP_HOST")
    httpPort = values.integer("HTTP_PORT")
    httpThreads = values.integer("HTTP_THREADS")
    databasePath = values.text("DATABASE_PATH")
    consumerGroup = values.text("KAFKA_CONSUMER_GROUP")
    topicPartitions = values.integer("KAFKA_TOPIC_PARTITIONS")
    demandsTopicPartitions = values.isGiven("KAFKA_TOPIC_PARTITIONS")
    topicReplicationFactor = values.integer("KAFKA_TOPIC_REPLICATION_FACTOR")
    relayMaxUnconsumedBytes = values.optionalInteger("RELAY_MAX_UNCONSUMED_BYTES")
    lifelineDescriptor = values.optionalInteger("LIFELINE_FD").map { Int32(truncatingIfNeeded: $0) }
    logLevel = Logger.Level(rawValue: values.text("LOG_LEVEL")) ?? .info
    logFormat = values.optionalText("LOG_FORMAT").flatMap(LogFormat.init) ?? (isTerminal ? .text : .json)
    readRetry(&values)
    readRetentions(&values)
    readKafka(&values)
    if identity.sendsMails { readMail(&values) }
    readAccess(&values)
  }

  private mutating func readAccess(_ values: inout CheckedValues) {
    rateLimit = values.optionalInteger("RATE_LIMIT")
    if let text = values.optionalText("API_TOKENS") {
      do throws(AccessTokens.Refusal) {
        apiTokens = try AccessTokens(parsing: text)
      } catch {
        values.refuse("API_TOKENS", error.description)
      }
    } else if !values.flag("ALLOW_ANONYMOUS"), !Self.isLoopback(httpHost) {
      values.refuse(
        "HTTP_HOST",
        "'\(httpHost)' can be reached from other machines, and nobody has to say who they are; "
          + "set API_TOKENS, or ALLOW_ANONYMOUS=true if that is wanted")
    }
  }

  private mutating func readRetry(_ values: inout CheckedValues) {
    let initial = values.integer("RETRY_INITIAL_BACKOFF_MS")
    let longest = values.integer("RETRY_MAX_BACKOFF_MS")
    if longest < initial {
      values.refuse("RETRY_MAX_BACKOFF_MS", "\(longest) is less than RETRY_INITIAL_BACKOFF_MS (\(initial))")
    }
    retry = RetryPolicy(
      maxAttempts: values.integer("RETRY_MAX_ATTEMPTS"), initialBackoff: .milliseconds(initial),
      maxBackoff: .milliseconds(longest))
  }

  private mutating func readRetentions(_ values: inout CheckedValues) {
    let topic = values.integer("KAFKA_TOPIC_RETENTION_HOURS")
    let outbox = values.integer("OUTBOX_RETENTION_HOURS")
    let inbox = values.integer("INBOX_RETENTION_HOURS")
    if inbox < max(topic, outbox) {
      values.refuse(
        "INBOX_RETENTION_HOURS",
        "\(inbox) is less than KAFKA_TOPIC_RETENTION_HOURS (\(topic)) or OUTBOX_RETENTION_HOURS (\(outbox)): "
          + "an event that comes back would be handled twice")
    }
    topicRetention = .seconds(topic * 3600)
    outboxRetention = .seconds(outbox * 3600)
    inboxRetention = .seconds(inbox * 3600)
  }

  private mutating func readMail(_ values: inout CheckedValues) {
    if let sender = MailSender(values.text("SMTP_FROM")) {
      mailSender = sender
    } else {
      values.refuse("SMTP_FROM", "'\(values.text("SMTP_FROM"))' is no mail address, or name <address>, in ASCII")
    }
    let (authorities, connections) = (values.optionalText("SMTP_CA_LOCATION"), values.integer("SMTP_CONNECTIONS"))
    if let authorities, !FileManager.default.isReadableFile(atPath: authorities) {
      values.refuse("SMTP_CA_LOCATION", "'\(authorities)' cannot be read")
    }
    guard let url = values.optionalText("SMTP_URL") else { return }
    do {
      var smtp = try SMTPConfiguration(url: url)
      smtp.certificateAuthorities = authorities
      smtp.connections = connections
      self.smtp = smtp
    } catch {
      values.refuse("SMTP_URL", error.reason)
    }
  }

  private mutating func readKafka(_ values: inout CheckedValues) {
    let properties = KafkaProperties(values.sources, keys: values.keys)
    values.refusals += properties.refusals
    let servers = values.text("KAFKA_BOOTSTRAP_SERVERS")
    for server in servers.split(separator: ",", omittingEmptySubsequences: false) where !Self.isServer(server) {
      values.refuse("KAFKA_BOOTSTRAP_SERVERS", "“\(server)” is no host:port with a port from 1 to 65535")
    }
    kafka = KafkaConfiguration(
      bootstrapServers: servers,
      common: ["client.id": identity.name].merging(properties.common) { $1 },
      producer: properties.producer, consumer: properties.consumer)
    do {
      try kafka.validated()
    } catch let error as KafkaConfigurationError {
      let key = error.property.map { properties.keys[$0] ?? $0 } ?? "KAFKA_*"
      values.refuse(key == "bootstrap.servers" ? "KAFKA_BOOTSTRAP_SERVERS" : key, error.reason)
    } catch {
      values.refuse("KAFKA_*", "\(error)")
    }
  }

  /// `host`, `host:port`, `[::1]:port`, each also with a scheme as librdkafka takes it: `SASL_SSL://host:port`.
  private static func isServer(_ text: Substring) -> Bool {
    var address = text.trimmingPrefix(while: \.isWhitespace)[...]
    while address.last?.isWhitespace == true { address.removeLast() }
    if let scheme = address.firstRange(of: "://") { address = address[scheme.upperBound...] }
    let host: Substring
    var port: Substring?
    if address.first == "[" {
      guard let end = address.firstIndex(of: "]") else { return false }
      host = address[address.index(after: address.startIndex)..<end]
      let rest = address[address.index(after: end)...]
      guard rest.isEmpty || rest.first == ":" else { return false }
      port = rest.isEmpty ? nil : rest.dropFirst()
    } else {
      let parts = address.split(separator: ":", omittingEmptySubsequences: false)
      guard parts.count <= 2 else { return false }
      host = parts[0]
      port = parts.count == 2 ? parts[1] : nil
    }
    guard !host.isEmpty, !host.contains(where: \.isWhitespace) else { return false }
    return port.map { UInt16($0).map { $0 > 0 } ?? false } ?? true
  }

  static func isLoopback(_ host: String) -> Bool {
    let name = host.lowercased()
    guard name != "localhost", name != "::1" else { return true }
    let octets = name.split(separator: ".", omittingEmptySubsequences: false)
    return octets.count == 4 && octets[0] == "127" && octets.allSatisfy { UInt8($0) != nil }
  }
}

/// Reads keys, and collects what is wrong with them.
private struct CheckedValues {
  let sources: ConfigurationSources
  let keys: [ConfigurationKey]
  var refusals: [ConfigurationError.Refusal]

  mutating func refuse(_ key: String, _ reason: String) {
    refusals.append(.init(key: key, reason: reason))
  }

  /// Whether anybody has set it, to whatever value.
  func isGiven(_ name: String) -> Bool { sources.value(of: name) != nil }

  mutating func text(_ name: String) -> String { optionalText(name) ?? "" }

  mutating func optionalText(_ name: String) -> String? {
    guard let key = key(name), let value = sources.value(of: name, isSecret: key.isSecret) else {
      return key(name)?.defaultValue
    }
    if case .choice(let choices) = key.kind {
      guard choices.contains(value.lowercased()) else { return refuse(value, of: key) }
      return value.lowercased()
    }
    return value
  }

  /// The default where the value is refused, so that one bad key does not make others look bad.
  mutating func integer(_ name: String) -> Int {
    optionalInteger(name) ?? key(name)?.defaultValue.flatMap { Int($0) } ?? 1
  }

  mutating func optionalInteger(_ name: String) -> Int? {
    guard let key = key(name), case .integer(let range) = key.kind,
      let value = sources.value(of: name, isSecret: key.isSecret) ?? key.defaultValue
    else { return nil }
    guard let number = Int(value), range.contains(number) else { return refuse(value, of: key) }
    return number
  }

  mutating func flag(_ name: String) -> Bool {
    guard let key = key(name), let value = sources.value(of: name) ?? key.defaultValue else { return false }
    switch value.lowercased() {
    case "true", "yes", "1": return true
    case "false", "no", "0": return false
    default: return refuse(value, of: key) ?? false
    }
  }

  private func key(_ name: String) -> ConfigurationKey? { keys.first { $0.name == name } }

  private mutating func refuse<Value>(_ value: String, of key: ConfigurationKey) -> Value? {
    refuse(key.name, (key.isSecret ? "its value is not " : "'\(value)' is not ") + key.expectation)
    return nil
  }
}

/// A key of a service's configuration: its name, what values it takes, what it is when nobody sets it, and whether
/// it is secret. ``all(for:)`` is the one table of them; `--help` prints it.
public struct ConfigurationKey: Sendable, Hashable {
  public enum Kind: Sendable, Hashable {
    case text
    case choice([String])
    case integer(ClosedRange<Int>)
    case flag
  }

  /// As an environment variable: `HTTP_PORT`. As an option it is `--http-port`, in the file `http_port` or `port`
  /// inside of `http`.
  public var name: String
  public var kind: Kind
  /// Nil where nothing is a value too.
  public var defaultValue: String?
  public var explanation: String
  public var isSecret: Bool

  init(
    _ name: String, _ kind: Kind, default defaultValue: String? = nil, isSecret: Bool = false, _ explanation: String
  ) {
    self.name = name
    self.kind = kind
    self.defaultValue = defaultValue
    self.isSecret = isSecret
    self.explanation = explanation
  }

  /// `--http-port`
  public var option: String { "--" + name.lowercased().replacing("_", with: "-") }

  /// What a value has to be, for people.
  public var expectation: String {
    switch kind {
    case .text: "a text"
    case .choice(let choices): "one of " + choices.joined(separator: ", ")
    case .integer(let range) where range.upperBound == .max: "a whole number from \(range.lowerBound)"
    case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
    case .flag: "true or false"
    }
  }
}

extension ConfigurationKey {
  private static let hours = 1...87_600

  /// Every key of a service, in the order of `--help`. Beside them any property of librdkafka: see
  /// ``KafkaProperties``.
  public static func all(for identity: ServiceIdentity) -> [ConfigurationKey] {
    common(to: identity) + (identity.sendsMails ? mail : [])
  }

  private static let mail = [
    ConfigurationKey(
      "SMTP_URL", .text, isSecret: true,
      "The mail server: smtp://host:port (STARTTLS where it is offered) or smtps://user:password@host:port. Without it "
        + "mails stay in the mock mailbox. A password goes over plain smtp:// to this machine only."),
    ConfigurationKey(
      "SMTP_FROM", .text, default: "Orderflow <orders@orderflow.example>",
      "Who mails are from: an address, or name <address>."),
    ConfigurationKey(
      "SMTP_CA_LOCATION", .text, "A file of certificates (PEM) to trust at the mail server instead of the system's."),
    ConfigurationKey(
      "SMTP_CONNECTIONS", .integer(1...64), default: "4", "Connections to the mail server, each a mail at a time."),
  ]

  private static func common(to identity: ServiceIdentity) -> [ConfigurationKey] {
    [
      ConfigurationKey(
        "HTTP_HOST", .text, default: "127.0.0.1",
        "The address to listen on. Anything but loopback needs API_TOKENS or ALLOW_ANONYMOUS=true."),
      ConfigurationKey(
        "HTTP_PORT", .integer(0...65535), default: "\(identity.defaultPort)",
        "The port to listen on. 0 takes a free one and logs it."),
      ConfigurationKey(
        "HTTP_THREADS", .integer(1...64), default: "1", "Threads that read and write HTTP connections."),
      ConfigurationKey(
        "API_TOKENS", .text, isSecret: true,
        "token:scope+scope,... with the scopes orders, read, stock and operate. When set, every route but /health, "
          + "/ready and /metrics wants Authorization: Bearer."),
      ConfigurationKey(
        "RATE_LIMIT", .integer(1...1_000_000),
        "Requests per second and client, which is a token or else an address; by default as many as come."),
      ConfigurationKey(
        "ALLOW_ANONYMOUS", .flag, default: "false",
        "Lets a service without API_TOKENS listen where everybody can do everything."),
      ConfigurationKey(
        "DATABASE_PATH", .text, default: ".orderflow/\(identity.name).sqlite",
        "The service's SQLite file. It is made, with its folder, where it is missing."),
      ConfigurationKey(
        "KAFKA_BOOTSTRAP_SERVERS", .text, default: "localhost:9092", "Where to find the brokers: host:port,host:port"),
      ConfigurationKey("KAFKA_CONSUMER_GROUP", .text, default: identity.name, "The consumer group."),
      ConfigurationKey(
        "KAFKA_TOPIC_PARTITIONS", .integer(1...10_000), default: "6",
        "Partitions of a topic that has to be made. When set, a topic with another number ends the start."),
      ConfigurationKey(
        "KAFKA_TOPIC_REPLICATION_FACTOR", .integer(1...100), default: "1",
        "Replicas of a topic that has to be made."),
      ConfigurationKey(
        "KAFKA_TOPIC_RETENTION_HOURS", .integer(hours), default: "168",
        "How long a topic that has to be made keeps its records. Dead letter topics keep theirs for ever."),
      ConfigurationKey(
        "OUTBOX_RETENTION_HOURS", .integer(hours), default: "168",
        "How long published outbox rows stay, so that they can be published again."),
      ConfigurationKey(
        "INBOX_RETENTION_HOURS", .integer(hours), default: "720",
        "How long handled event ids are remembered; at least as long as topic and outbox keep them."),
      ConfigurationKey(
        "RETRY_MAX_ATTEMPTS", .integer(1...1000), default: "3",
        "Attempts at an event, the first included, before it is a dead letter."),
      ConfigurationKey(
        "RETRY_INITIAL_BACKOFF_MS", .integer(0...3_600_000), default: "100",
        "The longest pause after the first attempt, in milliseconds; it doubles with each further one."),
      ConfigurationKey(
        "RETRY_MAX_BACKOFF_MS", .integer(0...3_600_000), default: "10000",
        "The longest pause between two attempts, in milliseconds."),
      ConfigurationKey(
        "RELAY_MAX_UNCONSUMED_BYTES", .integer(1024...Int.max),
        "For the embedded broker, which drops its oldest records: the bytes of a partition that the relay may be "
          + "ahead of the slowest group."),
      ConfigurationKey(
        "LOG_LEVEL", .choice(["trace", "debug", "info", "notice", "warning", "error", "critical"]), default: "info",
        "Lines below this level are left out."),
      ConfigurationKey(
        "LOG_FORMAT", .choice(["text", "json"]), "text for people, json for machines; by default text on a terminal."),
      ConfigurationKey(
        "LIFELINE_FD", .integer(3...65535),
        "An inherited pipe. When its other end closes, the parent is gone, and the service shuts down."),
      ConfigurationKey(
        "CONFIG_FILE", .text, "A JSON file with any of these keys; environment and options win over it."),
    ]
  }
}

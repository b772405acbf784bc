import EventSchema

/// Who a service is: its names, and the topics it reads and writes.
public struct ServiceIdentity: Sendable, Hashable {
  /// `order-service`: names the consumer group, the database file and the source of its events.
  public var name: String
  /// `OrderService`: the executable, for people.
  public var displayName: String
  public var defaultPort: Int
  /// Topics whose events this service handles.
  public var consumes: [String]
  /// Topics that its outbox writes to, besides those for dead letters.
  public var produces: [String]
  /// Whether the service can do its main job while no broker is there; then it is ready without one.
  public var worksWithoutBroker: Bool
  /// Whether it has the configuration of a mail server.
  public var sendsMails: Bool

  public init(
    name: String, displayName: String, defaultPort: Int, consumes: [String], produces: [String],
    worksWithoutBroker: Bool = false, sendsMails: Bool = false
  ) {
    self.name = name
    self.displayName = displayName
    self.defaultPort = defaultPort
    self.consumes = consumes
    self.produces = produces
    self.worksWithoutBroker = worksWithoutBroker
    self.sendsMails = sendsMails
  }

  /// The `ce_source` of the service's events.
  public var eventSource: String { "/\(name)" }

  /// Where what this service gives up is published, a topic for each that it consumes.
  public var deadLetterTopics: [String] { consumes.map(Topics.deadLetters(of:)) }

  /// Every topic that has to be there, each once, in order.
  public var topics: [String] {
    var seen: Set<String> = []
    return (consumes + produces + deadLetterTopics).filter { seen.insert($0).inserted }
  }
}

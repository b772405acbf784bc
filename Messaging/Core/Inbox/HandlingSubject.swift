/// What a process has at hand, in case it dies of it: code that ends the process gives no chance to write anything down.
public enum HandlingSubject: Sendable, Hashable {
  /// A record whose bytes are being read.
  case record(cluster: String, TopicPartition, offset: Int64)
  /// An event whose handler runs.
  case event(id: String)
  /// A dead letter that is handled again; `redrives` is how often that has failed before.
  case redrive(deadLetterID: Int64, redrives: Int, attempt: Int, Requester)

  /// What its deaths are counted by.
  public var name: String {
    switch self {
    case .record(let cluster, let partition, let offset):
      "record/\(cluster)/\(partition.topic)/\(partition.partition)/\(offset)"
    case .event(let id): "event/\(id)"
    case .redrive(let id, let redrives, _, _): "redrive/\(id)/\(redrives)"
    }
  }
}

/// How often processes have died of what a group still has to deal with. Nearly always empty.
public struct CrashedAttempts: Sendable, Hashable {
  private let deaths: [String: Int]

  /// - Parameter deaths: by ``HandlingSubject/name``.
  public init(_ deaths: [String: Int] = [:]) { self.deaths = deaths }

  public var isEmpty: Bool { deaths.isEmpty }

  public func number(of subject: @autoclosure () -> HandlingSubject) -> Int {
    deaths.isEmpty ? 0 : deaths[subject().name] ?? 0
  }
}

/// The end of a process, found out afterwards by another.
public struct HandlingDeath: Sendable, Hashable {
  public var subject: HandlingSubject
  /// Names the process.
  public var process: String

  public init(subject: HandlingSubject, process: String) {
    self.subject = subject
    self.process = process
  }
}

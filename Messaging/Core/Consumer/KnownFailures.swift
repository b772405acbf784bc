import Synchronization

/// What has failed in a transaction that is carried out a second time, so that the failure can be undone alone. A failure is
/// one attempt: the handler is not asked again for it.
final class KnownFailures: Sendable {
  private struct Name: Hashable {
    let eventID: String
    let partition: TopicPartition
    let offset: Int64

    init(_ entry: InboxEntry) {
      eventID = entry.identity.eventID
      partition = entry.topicPartition
      offset = entry.offset
    }
  }

  private let errors = Mutex<[Name: any Error]>([:])

  /// Runs `attempt` at `entry`, or throws what it threw before.
  func once(_ entry: InboxEntry, _ attempt: () throws -> Void) throws {
    if let error = errors.withLock({ $0.isEmpty ? nil : $0[Name(entry)] }) { throw error }
    do {
      try attempt()
    } catch {
      errors.withLock { $0[Name(entry)] = error }
      throw error
    }
  }
}

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

  /// Runs `attempt` at `entry`, or throws what it threw before. A store that was not available is no failure of the event,
  /// and is asked again: so it looks to a handler, too, when a savepoint of its own was none.
  func once(_ entry: InboxEntry, _ attempt: () throws -> Void) throws {
    if let error = errors.withLock({ $0.isEmpty ? nil : $0[Name(entry)] }) { throw error }
    do {
      try attempt()
    } catch {
      if !(error is StoreUnavailable) { errors.withLock { $0[Name(entry)] = error } }
      throw error
    }
  }
}

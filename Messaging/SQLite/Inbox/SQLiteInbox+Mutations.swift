import GRDB
import Messaging

/// What mutations do instead of writing in the transaction: see `Mutation`.
extension SQLiteInbox {
  func registerLater(
    _ entry: InboxEntry, _ outcome: InboxOutcome, in transaction: SQLiteTransaction
  ) throws -> Bool {
    let isKnown = try transaction.database.firstRow(
      "SELECT 1 FROM processed_events WHERE consumer_group = ? AND event_id = ?", [group, entry.identity.eventID]
    ) { _ in true }
    transaction.afterCommit { [self] in
      Task { try await database.write { try write(entry, outcome, by: Self.bareInsertion, in: $0) } }
    }
    return isKnown == nil
  }

  func publishLater(_ publication: OutboxMessage, in transaction: SQLiteTransaction) {
    transaction.afterCommit { [database, outbox] in
      Task { try await database.write { try outbox.append(publication, in: $0) } }
    }
  }
}

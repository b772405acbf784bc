import EventSchema
import MessagingSQLite

/// What happens to reservations, one change after another in the order of their commits, whatever instance of the
/// service made them. A change is there as long as its outbox row is.
public struct FollowReservations: Sendable {
  private let database: SQLiteDatabase
  private let reservations: ReservationStore

  public init(database: SQLiteDatabase, reservations: ReservationStore) {
    self.database = database
    self.reservations = reservations
  }

  /// The number of the last change.
  public func last() async throws -> Int64 {
    try await database.read { try SQLiteOutbox.lastSequence(in: $0) }
  }

  /// At most `limit` changes after `number`.
  public func callAsFunction(after number: Int64, limit: Int) async throws -> [ReservationChange] {
    try await database.read { [reservations] database in
      try reservations.changes(after: number, limit: limit, in: database)
    }
  }
}

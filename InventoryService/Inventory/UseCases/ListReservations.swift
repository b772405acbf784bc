import MessagingSQLite

/// A page of the reservations that match a filter, newest first. Pages neither repeat nor skip a reservation while
/// others are made: each goes on below the last one of the page before.
public struct ListReservations: Sendable {
  private let database: SQLiteDatabase
  private let reservations: ReservationStore

  public init(database: SQLiteDatabase, reservations: ReservationStore) {
    self.database = database
    self.reservations = reservations
  }

  /// - Parameter sequence: ``ReservationPage/next`` of the page before; nil for the first.
  public func callAsFunction(
    _ filter: ReservationFilter, before sequence: Int64?, limit: Int
  ) async throws -> ReservationPage {
    try await database.read { [reservations] database in
      try reservations.page(of: filter, before: sequence, limit: limit, in: database)
    }
  }
}

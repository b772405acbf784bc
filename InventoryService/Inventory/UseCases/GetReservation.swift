import EventSchema
import MessagingSQLite

/// What inventory has answered to an order, as it stands after the last commit.
public struct GetReservation: Sendable {
  private let database: SQLiteDatabase
  private let reservations: ReservationStore

  public init(database: SQLiteDatabase, reservations: ReservationStore) {
    self.database = database
    self.reservations = reservations
  }

  /// - Throws: ``NoReservation``
  public func callAsFunction(_ orderID: OrderID) async throws -> Reservation {
    try await database.read { [reservations] database in
      guard let reservation = try reservations.find(orderID, in: database) else {
        throw NoReservation(orderID: orderID)
      }
      return reservation
    }
  }
}

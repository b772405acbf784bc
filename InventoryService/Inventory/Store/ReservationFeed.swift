import EventSchema
import GRDB
import MessagingSQLite

/// A step in the life of a reservation.
public struct ReservationChange: Sendable, Hashable {
  /// Ascends in the order of the commits.
  public var number: Int64
  /// As it stood after the step.
  public var reservation: Reservation
}

extension ReservationStore {
  /// At most `limit` changes after `number`. Every change tells the world, so the outbox has them all, in their order.
  func changes(after number: Int64, limit: Int, in database: Database) throws -> [ReservationChange] {
    try SQLiteOutbox.entries(toTopic: Topics.inventory, after: number, limit: limit, in: database).map { entry in
      let key = String(decoding: entry.key ?? [], as: UTF8.self)
      guard let type = EventType(rawValue: entry.eventType), let status = ReservationStatus(told: type),
        let reservation = try OrderID(key).flatMap({ try find($0, in: database) })
      else { throw DamagedRow(table: "outbox", key: "\(entry.sequence)") }
      return ReservationChange(number: entry.sequence, reservation: reservation.when(status))
    }
  }
}

extension ReservationStatus {
  fileprivate init?(told type: EventType) {
    switch type {
    case .inventoryReserved: self = .reserved
    case .inventoryRejected: self = .rejected
    case .inventoryReleased: self = .released
    case .orderCreated, .orderConfirmed, .orderRejected, .orderCancelled: return nil
    }
  }
}

import Messaging
import WireFormat

@testable import orderflow

/// Observations of a small stack in order, to be spoilt by tests.
enum VerifyFixture {
  static let partition = TopicPartition("orders", 0)

  /// Three orders: confirmed, rejected, and cancelled after its confirmation.
  static func healthy() -> Observation {
    var observation = Observation()
    observation.orders = [
      ObservedOrder(id: "a", status: .confirmed, version: 2, items: ["keyboard": 2]),
      ObservedOrder(id: "b", status: .rejected, version: 2, items: ["unicorn": 1]),
      ObservedOrder(id: "c", status: .cancelled, version: 3, items: ["keyboard": 5]),
    ]
    observation.reservations = [
      ObservedReservation(id: "ra", orderID: "a", status: "RESERVED", items: ["keyboard": 2]),
      ObservedReservation(id: "rb", orderID: "b", status: "REJECTED", items: ["unicorn": 1]),
      ObservedReservation(id: "rc", orderID: "c", status: "RELEASED", items: ["keyboard": 5]),
    ]
    observation.products = [ObservedProduct(id: "keyboard", onHand: 10, reserved: 2, available: 8)]
    observation.mails = observation.orders.flatMap { order in
      order.mailKinds.map { ObservedMail(orderID: order.id, kind: $0) }
    }
    for order in observation.orders {
      for version in 1...order.version { publish("\(order.id)\(version)", order.id, version, to: &observation) }
    }
    return observation
  }

  /// Adds an event of OrderService to its outbox and to the topic.
  static func publish(_ eventID: String, _ key: String, _ version: Int64, to observation: inout Observation) {
    let offset = observation.logs[partition]?.upperBound ?? 0
    observation.outbox.append(
      ObservedOutboxRow(
        service: "OrderService", sequence: Int64(observation.outbox.count + 1), eventID: eventID, topic: "orders",
        createdAt: observation.takenAt, publishedAt: observation.takenAt, isPublished: true, partition: 0,
        offset: offset))
    put(record(eventID, key, version), on: &observation)
  }

  static func record(_ eventID: String?, _ key: String, _ version: Int64, source: String? = "order-service")
    -> ObservedRecord
  {
    ObservedRecord(
      place: partition, offset: 0, timestamp: nil, key: key, source: source, eventID: eventID, orderID: key,
      type: "ORDER_CREATED", version: version)
  }

  static func put(_ record: ObservedRecord, on observation: inout Observation) {
    let log = observation.logs[record.place] ?? 0..<0
    var record = record
    record.offset = log.upperBound
    observation.records.append(record)
    observation.logs[record.place] = log.lowerBound..<log.upperBound + 1
  }

  static func deadLetter(
    _ eventID: String, order: String?, cause: ObservedDeadLetter.Cause, isOpen: Bool = true
  ) -> ObservedDeadLetter {
    ObservedDeadLetter(
      place: "InventoryService", group: "inventory-service", eventID: eventID, redrives: 0, isOpen: isOpen,
      orderID: order, error: "some error", cause: cause)
  }
}

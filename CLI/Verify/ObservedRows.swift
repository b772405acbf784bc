import EventSchema
import Messaging
import WireFormat

/// What the services' lists say, as values.
extension ObservedOrder {
  init(_ row: Row) throws(Failure) {
    let name = try row.text("status")
    guard let status = Status(rawValue: name) else {
      throw Failure("\(row.list) have an order whose status is \(name.printable)")
    }
    self.init(
      id: try row.text("order_id"), status: status, version: try row.integer("version"),
      items: try row.quantities("items"))
  }
}

extension ObservedReservation {
  init(_ row: Row) throws(Failure) {
    self.init(
      id: try row.text("reservation_id"), orderID: try row.text("order_id"), status: try row.text("status"),
      items: try row.quantities("items"))
  }
}

extension ObservedProduct {
  init(_ row: Row) throws(Failure) {
    self.init(
      id: try row.text("product_id"), onHand: try row.integer("on_hand"), reserved: try row.integer("reserved"),
      available: try row.integer("available"))
  }
}

extension ObservedMail {
  init(_ row: Row) throws(Failure) {
    self.init(orderID: try row.text("order_id"), kind: try row.text("kind"))
  }
}

extension ObservedOutboxRow {
  init(_ row: Row, service: String) throws(Failure) {
    self.init(
      service: service, sequence: try row.integer("sequence"), eventID: try row.text("event_id"),
      topic: try row.text("topic"), createdAt: row.optionalText("created_at").flatMap(Timestamp.init(rfc3339:)),
      publishedAt: row.optionalText("published_at").flatMap(Timestamp.init(rfc3339:)),
      isPublished: try row.text("status") == "published",
      partition: row.optionalInteger("partition").flatMap(Int32.init(exactly:)), offset: row.optionalInteger("offset"))
  }
}

extension ObservedRecord {
  init(_ record: ConsumedRecord) {
    func header(_ name: String) -> String? {
      record.headers.last { $0.name == name }?.value.map { String(decoding: $0, as: UTF8.self) }
    }
    let event = record.value.flatMap { try? JSONValue(parsing: $0) }?.object
    let source = header("ce_source")
    self.init(
      place: record.topicPartition, offset: record.offset,
      timestamp: record.timestamp.map(Timestamp.init(millisecondsSinceEpoch:)),
      key: record.key.map { String(decoding: $0, as: UTF8.self) },
      source: source.map { $0.hasPrefix("/") ? String($0.dropFirst()) : $0 }, eventID: header("ce_id"),
      orderID: event?["order_id"]?.string, type: event?["event_type"]?.string,
      version: event?["order_version"]?.number?.int64)
  }
}

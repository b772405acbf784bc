import EventSchema
import Messaging
import WireFormat

/// A record as one line, for people or for programs. Whatever its bytes are, it is one line without control characters.
struct EventLine: Sendable {
  private let record: ConsumedRecord
  private let json: JSONValue?

  init(_ record: ConsumedRecord) {
    self.record = record
    json = record.value.flatMap { try? JSONValue(parsing: $0) }
  }

  /// Time, place, key, type and value.
  func text(palette: Palette) -> String {
    let time = record.timestamp.map { Timestamp(millisecondsSinceEpoch: $0).rfc3339 } ?? "-"
    let key = record.key.map { String(decoding: $0, as: UTF8.self).printable } ?? "(no key)"
    return [
      palette.paint(time, .grey), "\(record.topicPartition)@\(record.offset)", key, palette.paint(type, colour), value,
    ].joined(separator: "  ")
  }

  /// The value as it is where it is JSON (line feeds between its parts become spaces), `null` for a tombstone, and for
  /// anything else an object with the bytes in base64.
  var raw: [UInt8] {
    guard let bytes = record.value else { return Array("null".utf8) }
    guard json == nil else { return bytes.map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 } }
    var writer = JSONWriter()
    writer.object { writer in
      writer.member("not_json", true)
      writer.member("topic", record.topic)
      writer.member("partition", record.topicPartition.partition)
      writer.member("offset", record.offset)
      writer.member("value_base64", Base64.encoded(bytes))
    }
    return writer.bytes
  }

  private var type: String {
    if record.value == nil { return "TOMBSTONE" }
    guard let object = json?.object else { return "NOT_JSON" }
    if let type = object["event_type"]?.string { return type.printable }
    return object["original_topic"] == nil ? "NO_TYPE" : "DEAD_LETTER"
  }

  private var value: String {
    guard let bytes = record.value else { return "null" }
    return String(decoding: bytes, as: UTF8.self).printable
  }

  private var colour: Colour {
    switch EventType(rawValue: type) {
    case .orderCreated: .blue
    case .orderConfirmed, .inventoryReserved: .green
    case .orderRejected, .inventoryRejected: .red
    case .orderCancelled: .yellow
    case .inventoryReleased: .magenta
    case nil: type == "DEAD_LETTER" ? .red : .grey
    }
  }
}

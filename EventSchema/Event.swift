import WireFormat

/// A fact about one order that one service states and others rely on.
public struct Event: Sendable, Hashable {
  /// What every event says.
  public var envelope: EventEnvelope
  /// What this event says.
  public var payload: EventPayload

  /// States the facts of `payload` about the order that `envelope` names.
  public init(envelope: EventEnvelope, payload: EventPayload) {
    self.envelope = envelope
    self.payload = payload
  }

  /// The kind of event, as its facts tell.
  public var type: EventType { payload.type }

  /// The topic that carries the event.
  public var topic: String { type.topic }

  /// The record's key: the order's id in UTF-8.
  public var key: [UInt8] { Array(envelope.orderID.rawValue.utf8) }

  /// The record's value: one flat JSON object in UTF-8, compact, its members always in the same order.
  ///
  /// Bounds are not checked here: what lies outside them is written, and refused by every reader.
  public func encoded() -> [UInt8] {
    var json = JSONWriter(reservingCapacity: 512)
    write(to: &json)
    return json.bytes
  }
}

extension Event: JSONEncodable {
  /// Writes the object that is the record's value.
  public func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("event_id", envelope.eventID)
      json.member("event_type", type)
      json.member("schema_version", type.schemaVersion)
      json.member("order_id", envelope.orderID)
      json.member("order_version", envelope.orderVersion)
      payload.writeMembers(to: &json)
      json.member("timestamp", envelope.timestamp)
    }
  }
}

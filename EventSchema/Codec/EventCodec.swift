import WireFormat

/// Reads the records of the topics of events.
public enum EventCodec {
  /// Reads one record. Never fails: whatever the bytes are, the result says what they are worth.
  ///
  /// Unknown members are ignored, any offset of a timestamp is accepted, of a repeated member the last one counts.
  /// That `total` is the sum of the items is not checked.
  public static func decode(key: [UInt8]?, value: [UInt8]?) -> DecodedEvent {
    let fields: FieldReader
    do throws(UnreadableField) {
      fields = FieldReader(object: try object(in: value))
    } catch {
      return unreadable(error.reason, FieldReader(object: JSONElement.Object()))
    }
    do throws(UnreadableField) {
      let name = try fields.text("event_type")
      guard let type = EventType(rawValue: name) else { return unknown(name, key: key, fields) }
      return .event(try event(type, key: key, fields))
    } catch {
      return unreadable(error.reason, fields)
    }
  }

  private static func object(in value: [UInt8]?) throws(UnreadableField) -> JSONElement.Object {
    guard let value else { throw UnreadableField(reason: "null value") }
    guard !value.isEmpty else { throw UnreadableField(reason: "empty value") }
    let json: JSONElement
    do throws(JSONParseError) {
      json = try JSONElement(parsing: value)
    } catch {
      throw UnreadableField(reason: error.description)
    }
    guard let object = json.object else { throw UnreadableField(reason: "not a JSON object") }
    return object
  }

  private static func event(
    _ type: EventType, key: [UInt8]?, _ fields: FieldReader
  ) throws(UnreadableField) -> Event {
    let eventID: EventID = try fields.identifier("event_id")
    try fields.checkSchemaVersion(of: type)
    let orderID: OrderID = try fields.identifier("order_id")
    guard isKey(key, of: orderID) else { throw UnreadableField(reason: "key: must be the order_id") }
    let envelope = EventEnvelope(
      eventID: eventID, orderID: orderID, orderVersion: try fields.orderVersion(),
      timestamp: try fields.timestamp("timestamp"))
    return Event(envelope: envelope, payload: try EventPayload(type, from: fields))
  }

  private static func unknown(_ name: String, key: [UInt8]?, _ fields: FieldReader) -> DecodedEvent {
    let orderID: OrderID? = try? fields.identifier("order_id")
    let isOfItsKey = orderID.map { isKey(key, of: $0) } ?? false
    return .unknownType(
      name, eventID: try? fields.identifier("event_id"), orderID: orderID,
      orderVersion: isOfItsKey ? try? fields.orderVersion() : nil)
  }

  private static func unreadable(_ reason: String, _ fields: FieldReader) -> DecodedEvent {
    .unreadable(
      reason: reason, eventType: try? fields.text("event_type"), eventID: try? fields.identifier("event_id"),
      orderID: try? fields.identifier("order_id"), orderVersion: try? fields.orderVersion())
  }

  private static func isKey(_ key: [UInt8]?, of orderID: OrderID) -> Bool {
    guard let key else { return false }
    var text = orderID.rawValue
    return text.withUTF8 { text in key.withUnsafeBufferPointer { $0.isEqual(to: text) } }
  }
}

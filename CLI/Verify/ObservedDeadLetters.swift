import EventSchema
import Messaging
import WireFormat

/// Puts together what the groups' stores and the dead letter topics know of dead letters.
///
/// A store says what has been done about one; the topic has the record's bytes, which tell whether it can be read.
struct DeadLetterCollection: Sendable {
  /// A dead letter as a topic shows it.
  private struct Publication {
    var letter: ObservedDeadLetter
    var record: (key: [UInt8]?, value: [UInt8]?)
  }

  /// The latest of each dead letter: it is published again whenever a redrive fails.
  private var publications: [String: Publication] = [:]
  private var stored: [ObservedDeadLetter] = []

  /// Takes a record of a dead letter topic; one that is none is left out. Copies count once.
  mutating func add(_ record: ConsumedRecord) {
    guard let object = record.value.flatMap({ try? JSONValue(parsing: $0) })?.object,
      let group = object["consumer_group"]?.string, let eventID = object["event_id"]?.string
    else { return }
    let letter = ObservedDeadLetter(
      place: "\(record.topicPartition)@\(record.offset)", group: group, eventID: eventID,
      redrives: object["redrives"]?.number?.int64 ?? 0, isOpen: true, orderID: nil,
      error: object["error"]?.string ?? "", cause: .failure)
    if let known = publications[letter.name], known.letter.redrives > letter.redrives { return }
    publications[letter.name] = Publication(
      letter: letter,
      record: (
        object["original_key_base64"]?.string.flatMap(Base64.decoded),
        object["original_message_base64"]?.string.flatMap(Base64.decoded)
      ))
  }

  /// Takes a row of a service's `GET /dead-letters`.
  mutating func add(_ row: Row, service: String) throws(Failure) {
    stored.append(
      ObservedDeadLetter(
        place: service, group: try row.text("consumer_group"), eventID: try row.text("event_id"),
        redrives: try row.integer("redrives"), isOpen: try row.text("status") == "open",
        orderID: row.optionalText("order_id"), error: try row.text("error"), cause: .failure))
  }

  /// Each dead letter once, with its cause.
  ///
  /// - Parameter orders: the ids of the orders that OrderService has.
  func letters(orders: Set<String>) -> [ObservedDeadLetter] {
    var rest = publications
    let known = stored.map { letter in
      classified(letter, by: rest.removeValue(forKey: letter.name), orders)
    }
    return known + rest.values.map { classified($0.letter, by: $0, orders) }.sorted { $0.place < $1.place }
  }

  private func classified(
    _ letter: ObservedDeadLetter, by publication: Publication?, _ orders: Set<String>
  ) -> ObservedDeadLetter {
    var letter = letter
    if letter.error.hasPrefix(Self.unknownOrder) { letter.cause = .unknownOrder }
    guard let publication else { return letter }
    switch EventCodec.decode(key: publication.record.key, value: publication.record.value) {
    case .unreadable:
      letter.cause = .unreadable
    case .event(let event):
      letter.orderID = letter.orderID ?? event.envelope.orderID.rawValue
      if !orders.contains(event.envelope.orderID.rawValue) { letter.cause = .unknownOrder }
    case .unknownType:
      break
    }
    return letter
  }

  /// How the error of an event for an order that OrderService does not have begins.
  private static let unknownOrder = "UNKNOWN_ORDER"
}

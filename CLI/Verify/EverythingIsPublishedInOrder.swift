import EventSchema
import Messaging
import WireFormat

/// Invariant 5: every published outbox row that its topic still has room for is on the topic; every event of ours on a
/// topic is in an outbox; first occurrences per key are in order, and `order_version` has no gap; nothing is left
/// unpublished.
///
/// What a log has dropped (retention, or the embedded broker's 5 MiB a partition) is not missed: a row whose offset
/// lies before the log's start, or that was published longer ago than the topic keeps. In such a log the order is
/// judged for those keys whose first event it still has.
enum EverythingIsPublishedInOrder {
  /// The topics' default retention; dead letters are kept for ever, but publishing them again is not.
  static let retention = Duration.seconds(168 * 3600)

  static func check(_ index: ObservationIndex) -> Finding {
    var offenders = Offenders()
    let observation = index.observation
    let ours = observation.records.filter(\.isOurs)
    let onTopic = Set(ours.compactMap(\.eventID))
    let rows = Dictionary(observation.outbox.map { ($0.eventID, $0) }, uniquingKeysWith: { first, _ in first })

    var published = 0
    for row in observation.outbox {
      guard row.isPublished else {
        offenders.add("\(row.service): event \(row.eventID) for \(row.topic) is not published")
        continue
      }
      published += 1
      if !onTopic.contains(row.eventID), isExpected(row, index) {
        let place = row.partition.map { "\(TopicPartition(row.topic, $0))@\(row.offset.map(String.init) ?? "?")" }
        offenders.add("\(row.service): event \(row.eventID) is published and not on the topic (\(place ?? row.topic))")
      }
    }
    let oldestRows = oldestRows(of: observation)
    for record in ours where record.eventID.flatMap({ rows[$0] }) == nil {
      guard !mayHaveBeenPurged(record, oldestRows, now: observation.takenAt) else { continue }
      offenders.add("event \(record.eventID ?? "without an id") at \(record.position) is in no outbox")
    }
    for fault in stepsNeverTold(of: observation.orders, in: ours) where observation.isQuiet { offenders.add(fault) }
    let order = OrderOfFirstOccurrences(ours, rows: rows, logs: observation.logs)
    offenders.add(order.offenders)
    return Finding(
      number: 5, title: "Everything is published, once in the outbox and in order on the topic",
      figure: figure(published: published, records: observation.records.count, ours: ours.count, order),
      offenders: offenders)
  }

  /// Orders whose last step is on no topic, though their first is: neither a gap nor an outbox row would tell of it.
  private static func stepsNeverTold(of orders: [ObservedOrder], in ours: [ObservedRecord]) -> [String] {
    var versions: [String: ClosedRange<Int64>] = [:]
    for record in ours where record.place.topic == Topics.orders {
      guard let key = record.key, let version = record.version else { continue }
      let known = versions[key] ?? version...version
      versions[key] = min(known.lowerBound, version)...max(known.upperBound, version)
    }
    return orders.compactMap { order in
      guard let told = versions[order.id], told.lowerBound == 1, told.upperBound < order.version else { return nil }
      return "order \(order.id) is at version \(order.version), and the topic knows it up to \(told.upperBound)"
    }
  }

  private static func isExpected(_ row: ObservedOutboxRow, _ index: ObservationIndex) -> Bool {
    let observation = index.observation
    if let publishedAt = row.publishedAt, publishedAt < observation.takenAt - retention { return false }
    // After a broker has lost its data only open dead letters are published again.
    if row.topic.hasSuffix(deadLetterSuffix) {
      return observation.deadLetters.contains { $0.isOpen && $0.publicationID == row.eventID }
    }
    guard let partition = row.partition, let offset = row.offset else {
      return observation.logs.allSatisfy { $0.key.topic != row.topic || $0.value.lowerBound == 0 }
    }
    guard let log = observation.logs[TopicPartition(row.topic, partition)] else { return true }
    // While things move, it may have come after the look at the topic.
    return offset >= log.lowerBound && (observation.isQuiet || offset < log.upperBound)
  }

  /// The outbox may keep less than the topic: then what is older than all that it has is not missed there.
  private static func mayHaveBeenPurged(
    _ record: ObservedRecord, _ oldestRows: [String: Timestamp], now: Timestamp
  ) -> Bool {
    guard let time = record.timestamp, time < now - .seconds(3600) else { return false }
    return oldestRows[record.place.topic].map { time < $0 } ?? true
  }

  private static func oldestRows(of observation: Observation) -> [String: Timestamp] {
    observation.outbox.reduce(into: [:]) { oldest, row in
      guard let createdAt = row.createdAt else { return }
      oldest[row.topic] = min(oldest[row.topic] ?? createdAt, createdAt)
    }
  }

  private static func figure(published: Int, records: Int, ours: Int, _ order: OrderOfFirstOccurrences) -> String {
    var parts = [
      "\(published.grouped) rows published", "\(ours.grouped) events on the topics",
      "\((ours - order.firstOccurrences).grouped) copies", "\(order.keys.grouped) keys in order",
    ]
    if order.keysNotJudged > 0 { parts.append("\(order.keysNotJudged.grouped) keys reach back behind a log's start") }
    if records > ours { parts.append("\((records - ours).grouped) records of others") }
    return parts.joined(separator: ", ")
  }

  private static let deadLetterSuffix = Topics.deadLetters(of: "")
}

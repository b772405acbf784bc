import EventSchema
import Messaging

/// Goes through the topics as a consumer that drops copies, and sees whether each key comes in order.
struct OrderOfFirstOccurrences: Sendable {
  private(set) var offenders = Offenders()
  private(set) var firstOccurrences = 0
  /// Those in order.
  private(set) var keys = 0
  private(set) var keysNotJudged = 0

  /// Several services write to a dead letter topic, and each keeps the order of its own outbox.
  private struct Place: Hashable {
    var topic: String
    var source: String?
    var key: String
  }

  /// - Parameter records: each partition's in the order of its offsets.
  init(_ records: [ObservedRecord], rows: [String: ObservedOutboxRow], logs: [TopicPartition: Range<Int64>]) {
    var seen: Set<String> = []
    var firsts: [Place: [ObservedRecord]] = [:]
    for record in records {
      guard let id = record.eventID, seen.insert(id).inserted else { continue }
      firstOccurrences += 1
      guard let key = record.key else { continue }
      firsts[Place(topic: record.place.topic, source: record.source, key: key), default: []].append(record)
    }
    for (place, events) in firsts {
      guard isWhole(events, place, logs) else {
        keysNotJudged += 1
        continue
      }
      if let fault = Self.fault(in: events, topic: place.topic, rows: rows) {
        offenders.add("\(place.topic), key \(place.key): \(fault)")
      } else {
        keys += 1
      }
    }
  }

  private func isWhole(_ events: [ObservedRecord], _ place: Place, _ logs: [TopicPartition: Range<Int64>]) -> Bool {
    guard let first = events.first, (logs[first.place]?.lowerBound ?? 0) > 0 else { return true }
    return place.topic == Topics.orders && first.version == 1
  }

  private static func fault(
    in events: [ObservedRecord], topic: String, rows: [String: ObservedOutboxRow]
  ) -> String? {
    if Set(events.map(\.place)).count > 1 { return "is in several partitions" }
    let sequences = events.compactMap { $0.eventID.flatMap { rows[$0]?.sequence } }
    if zip(sequences, sequences.dropFirst()).contains(where: { $0 >= $1 }) {
      return "events are not in the outbox's order (\(events.map(\.position).joined(separator: ", ")))"
    }
    guard topic == Topics.orders else { return nil }
    let versions = events.map { $0.version ?? 0 }
    let expected = Array(1...Int64(events.count))
    return versions == expected ? nil : "order_version goes \(versions.map(String.init).joined(separator: ", "))"
  }
}

import EventSchema
import Messaging

/// The end of a run: all faults stop, and the system has to come to rest by itself.
extension Simulation {
  /// In seconds of simulated time. The longest waits: a relay looks at its broker every half minute, and a lease that was
  /// taken before the time of day was set back may seem to last for a minute.
  private static let patience = 150

  func becomeQuiet() throws {
    note("all faults end")
    try endAllFaults()
    try rest()
    guard violations.isEmpty else { return }
    try redriveEverything()
    try rest()
  }

  private func rest() throws {
    for _ in 0..<Self.patience {
      guard try whatIsOnItsWay() != nil else { return note("quiet") }
      try everybodyWorks()
      guard violations.isEmpty else { return }
    }
    violation("not quiet after \(Self.patience) s: \(try whatIsOnItsWay() ?? "just now")")
  }

  /// What was quiet has to stay so: nobody tells anything any more.
  func checkItStaysQuiet() throws {
    let before = Topics.all.map { broker.records(of: $0).count }
    for _ in 0..<3 { try everybodyWorks() }
    let after = Topics.all.map { broker.records(of: $0).count }
    if before != after { violation("records came after all was quiet: \(before) became \(after)") }
  }

  private func everybodyWorks() throws {
    for process in services.flatMap(\.processes) {
      for part in SimulatedProcess.Part.allCases {
        for _ in 0..<3 where process.isFree(part) { try turn(process, part) }
      }
    }
    clock.advance(by: .seconds(1))
  }

  /// Nil when all is quiet.
  private func whatIsOnItsWay() throws -> String? {
    for service in services {
      let waiting = try service.number("SELECT COUNT(*) FROM outbox WHERE published_at IS NULL")
      if waiting > 0 { return "\(service.name) has \(waiting) rows to publish" }
    }
    for service in services {
      for topic in service.topics {
        let behind = lag(of: service.group, on: topic)
        if behind > 0 { return "\(service.name) has \(behind) records of \(topic) to read" }
      }
    }
    let apart = try ordersApart()
    let pending = try orders.rows("SELECT order_id FROM orders WHERE status = 'PENDING'") { $0[0] as String }
      .filter { !apart.contains($0) }
    if !pending.isEmpty { return "\(pending.count) orders are pending: \(pending)" }
    for service in services {
      let parked = try service.rows("SELECT event_key FROM parked_events") { $0[0] as String }
        .filter { !$0.hasPrefix(Self.foreignPrefix) && !apart.contains($0) }
      if !parked.isEmpty { return "\(service.name) has parked events of \(parked)" }
    }
    // A broker that has lost its data: its relays have not looked at it yet.
    if losses > 0, let missing = try missingOnTopics().first { return "not on its topic: \(missing)" }
    return nil
  }

  private func lag(of group: String, on topic: String) -> Int64 {
    let committed = broker.committed(group: group)
    let ends = Dictionary(grouping: broker.records(of: topic), by: \.topicPartition).mapValues {
      ($0.last?.offset ?? -1) + 1
    }
    return ends.reduce(0) { $0 + max(0, $1.value - (committed[$1.key] ?? 0)) }
  }

  /// Rows that are published, should be on their topic, and are not.
  ///
  /// A dead letter that has been dealt with is not published again after a loss. Nor is one whose relay cannot see the
  /// loss: under the same name it shows only in a partition's end, and two groups write to the same dead letter topic.
  func missingOnTopics() throws -> [String] {
    var missing: [String] = []
    for service in services {
      for row in try service.outbox() where row.isPublished && isExpectedAfterLosses(row) {
        if !isOnTopic(row) { missing.append("\(row.eventType) \(row.eventID) of \(row.key ?? "no key")") }
      }
    }
    return missing
  }

  private func isExpectedAfterLosses(_ row: ToldRow) -> Bool {
    guard losses > 0, let status = row.deadLetterStatus else { return true }
    return status == "open" && quietLosses == 0
  }

  private func isOnTopic(_ row: ToldRow) -> Bool {
    broker.records(of: row.topic).contains { $0.header("ce_id") == row.eventID }
  }

  /// Orders whose way ends at an event that a group has given up.
  func ordersApart() throws -> Set<String> {
    var apart = givenUp
    for service in services {
      for letter in try service.deadLetters() where letter.status == "open" && !letter.isHopeless {
        if let key = letter.key { apart.insert(key) }
      }
    }
    return apart
  }
}

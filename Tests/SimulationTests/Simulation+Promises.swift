import EventSchema
import Messaging

@testable import Orders

/// What is promised: the contract's section 7, checked in the stores and on the topics themselves.
extension Simulation {
  func checkPromises() throws {
    let apart = try ordersApart()
    try checkOrders(apart)
    try checkReservations(apart)
    try checkStock()
    try checkMails(apart)
    try checkPublications(apart)
    try checkDeadLetters()
    try checkNothingWasSkipped()
  }

  // MARK: 1. Every accepted order exists, and has come to an end that its customer can expect

  private func checkOrders(_ apart: Set<String>) throws {
    let stored = try orders.rows("SELECT order_id, status FROM orders") { ($0[0] as String, $0[1] as String) }
    let statuses = Dictionary(stored) { $1 }
    if stored.count != book.entries.count {
      violation("\(book.entries.count) orders were accepted, \(stored.count) are stored")
    }
    for (index, entry) in book.entries.enumerated() where !apart.contains(entry.id.rawValue) {
      let status = statuses[entry.id.rawValue].flatMap(OrderStatus.init)
      guard let status, entry.possibleEnds.contains(status) else {
        let possible = entry.possibleEnds.map(\.rawValue).sorted()
        violation("order \(index + 1) is \(status?.rawValue ?? "gone"), and can only be \(possible)")
        continue
      }
    }
  }

  // MARK: 2. Reservations fit their orders

  private func checkReservations(_ apart: Set<String>) throws {
    let reservations = Dictionary(
      try inventory.rows("SELECT order_id, status FROM reservations") { ($0[0] as String, $0[1] as String) }
    ) { $1 }
    let possible: [String: Set<String?>] = [
      "CONFIRMED": ["RESERVED"], "REJECTED": ["REJECTED"], "CANCELLED": [nil, "REJECTED", "RELEASED"],
    ]
    let stored = try orders.rows("SELECT order_id, status FROM orders") { ($0[0] as String, $0[1] as String) }
    for (id, status) in stored where !apart.contains(id) {
      if possible[status]?.contains(reservations[id]) != true {
        violation("order \(id) is \(status), its reservation \(reservations[id] ?? "none")")
      }
    }
  }

  // MARK: 3. Stock adds up

  private func checkStock() throws {
    let products = try inventory.rows("SELECT product_id, on_hand, reserved FROM products") {
      ($0[0] as String, $0[1] as Int64, $0[2] as Int64)
    }
    for (product, onHand, reserved) in products {
      let sum = try inventory.number(
        "SELECT coalesce(sum(quantity), 0) FROM reservation_items WHERE product_id = ? AND status = 'RESERVED'",
        [product])
      if reserved != sum { violation("\(reserved) of \(product) are reserved, by reservations \(sum)") }
      if onHand < reserved { violation("\(reserved) of \(product) are reserved, \(onHand) are there") }
      if onHand != book.stock[product] {
        violation("\(onHand) of \(product) are there, \(book.stock[product] ?? -1) were put there")
      }
    }
    let torn = try inventory.number(
      """
      SELECT COUNT(*) FROM reservation_items i JOIN reservations r ON r.sequence = i.sequence WHERE i.status <> r.status
      """)
    if torn > 0 { violation("\(torn) items do not stand where their reservation stands") }
  }

  // MARK: 4. One mail per order and kind, for what happened to it

  private func checkMails(_ apart: Set<String>) throws {
    var expected: [String: Set<String>] = [:]
    for row in try orders.outbox() where row.topic == Topics.orders {
      expected[row.key ?? "", default: []].insert(row.eventType)
    }
    let mails = try notifications.rows("SELECT order_id, kind FROM emails") { ($0[0] as String, $0[1] as String) }
      .filter { !$0.0.hasPrefix(Self.foreignPrefix) }
    var sent: [String: Set<String>] = [:]
    for (order, kind) in mails where sent[order, default: []].insert(kind).inserted == false {
      violation("order \(order) has two mails \(kind)")
    }
    for order in Set(expected.keys).union(sent.keys).subtracting(apart).sorted() {
      let (told, mailed) = (expected[order, default: []], sent[order, default: []])
      if told != mailed { violation("order \(order) has had \(told.sorted()), its mails are \(mailed.sorted())") }
    }
  }

  // MARK: 5. What is told, and where it is

  private func checkPublications(_ apart: Set<String>) throws {
    for service in services {
      let torn = try service.outboxRowsNeitherWaitingNorPublished()
      if !torn.isEmpty { violation("\(service.name): of the outbox's rows \(torn) are not in one state") }
    }
    for missing in try missingOnTopics() { violation("published, and not on its topic: \(missing)") }
    let (byOrders, byInventory) = (try orders.outbox(), try inventory.outbox())
    let known = Set((byOrders + byInventory).map(\.eventID))
    for record in [Topics.orders, Topics.inventory].flatMap({ broker.records(of: $0) }) {
      guard let source = record.header("ce_source"), source != "/elsewhere", let id = record.header("ce_id") else {
        continue
      }
      if !known.contains(id) { violation("\(id) is on \(record.topic), and in no outbox") }
    }
    try checkOrder(of: byOrders, on: Topics.orders)
    try checkOrder(of: byInventory, on: Topics.inventory)
    checkHistories(byOrders, byInventory, apart)
  }

  /// First occurrences of a key are on the topic in the order in which they were told. After a loss only copies can show
  /// what the order was before.
  private func checkOrder(of outbox: [ToldRow], on topic: String) throws {
    guard losses == 0 else { return }
    let told = Dictionary(grouping: outbox.filter { $0.topic == topic }, by: \.key).mapValues { $0.map(\.eventID) }
    var seen: [String?: [String]] = [:]
    for record in broker.records(of: topic) where record.header("ce_source") != "/elsewhere" {
      guard let id = record.header("ce_id"), seen[record.textKey]?.contains(id) != true else { continue }
      seen[record.textKey, default: []].append(id)
    }
    for (key, ids) in told where seen[key] != ids {
      violation("of \(key ?? "no key") \(ids) was told, and is on \(topic) as \(seen[key] ?? [])")
    }
  }

  /// Nobody tells what the state of an order does not allow, and nothing of an order that has come to its end.
  private func checkHistories(_ byOrders: [ToldRow], _ byInventory: [ToldRow], _ apart: Set<String>) {
    let possible: Set<[String]> = [
      ["ORDER_CREATED", "ORDER_CONFIRMED"], ["ORDER_CREATED", "ORDER_REJECTED"], ["ORDER_CREATED", "ORDER_CANCELLED"],
      ["ORDER_CREATED", "ORDER_CONFIRMED", "ORDER_CANCELLED"],
    ]
    let events = byOrders.filter { $0.topic == Topics.orders }
    for (key, rows) in Dictionary(grouping: events, by: { $0.key ?? "" }).sorted(by: { $0.key < $1.key }) {
      let types = rows.map(\.eventType)
      if !apart.contains(key), !possible.contains(types) { violation("order \(key) was told as \(types)") }
      let versions = rows.map { EventCodec.decode(key: Array(key.utf8), value: $0.value).version }
      if versions != (1...Int64(max(1, rows.count))).map({ $0 }) { violation("order \(key) has versions \(versions)") }
    }
    let answers: Set<[String]> = [
      ["INVENTORY_RESERVED"], ["INVENTORY_REJECTED"], ["INVENTORY_RESERVED", "INVENTORY_RELEASED"],
    ]
    let replies = byInventory.filter { $0.topic == Topics.inventory }
    for (key, rows) in Dictionary(grouping: replies, by: { $0.key ?? "" }).sorted(by: { $0.key < $1.key }) {
      let types = rows.map(\.eventType)
      if !answers.contains(types) { violation("order \(key) was answered with \(types)") }
    }
  }

  // MARK: 6. Dead letters

  private func checkDeadLetters() throws {
    for service in services {
      let letters = try service.deadLetters()
      for (event, copies) in Dictionary(grouping: letters, by: \.eventID) where copies.count > 1 {
        violation("\(service.name) has \(copies.count) dead letters of \(event)")
      }
      let names = Set(letters.map(\.eventID))
      for record in service.topics.flatMap({ broker.records(of: $0) }) {
        let isHopeless = record.headers.contains(Self.hopeless)
        let isKept =
          names.contains(record.nameByPlace)
          || EventCodec.decode(key: record.key, value: record.value).eventID.map { names.contains($0.rawValue) }
            ?? false
        if isHopeless, !isKept {
          violation("\(service.name) has no dead letter of \(record.topicPartition) \(record.offset)")
        }
      }
      for letter in letters where letter.status == "open" && !letter.isHopeless {
        violation("\(service.name) has given up \(letter.eventID): \(letter.error)")
      }
      let rows = try service.number("SELECT COUNT(*) FROM dead_letter_audit WHERE outcome <> 'failed_again'")
      if rows != dealtWith[service.group] ?? 0 {
        violation(
          "people dealt with \(dealtWith[service.group] ?? 0) things at \(service.name), and \(rows) are on record")
      }
    }
  }

  // MARK: At any time

  /// Before a group's committed offset there is nothing that it has not dealt with.
  func checkNothingWasSkipped() throws {
    for service in services {
      let committed = broker.committed(group: service.group)
      guard !committed.isEmpty else { continue }
      let known = Set(try service.rows("SELECT event_id FROM processed_events") { $0[0] as String })
      let cursors = Dictionary(
        try service.rows("SELECT event_key, version FROM key_cursors") { ($0[0] as String, $0[1] as Int64) }
      ) { $1 }
      for record in service.topics.flatMap({ broker.records(of: $0) })
      where record.offset < committed[record.topicPartition] ?? 0 && !record.headers.contains(Self.harmless) {
        let decoded = EventCodec.decode(key: record.key, value: record.value)
        let isStale = (decoded.version ?? .max) <= cursors[record.textKey ?? ""] ?? 0
        let isKnown = known.contains(decoded.eventID?.rawValue ?? "") || known.contains(record.nameByPlace)
        if !isStale, !isKnown {
          violation(
            "\(service.name) has committed beyond \(record.topicPartition) \(record.offset), and not dealt with it")
        }
      }
    }
  }

  /// Everything that a run has led to, for the hash.
  func finalState() throws -> String {
    var lines: [String] = []
    for topic in Topics.all {
      for record in broker.records(of: topic) {
        lines.append(
          "\(record.topicPartition) \(record.offset) \(record.header("ce_id") ?? "") \(record.timestamp ?? 0)")
      }
    }
    lines += try orders.rows("SELECT order_id, status, version, updated_at FROM orders ORDER BY sequence") {
      "\($0[0] as String) \($0[1] as String) \($0[2] as Int64) \($0[3] as Int64)"
    }
    lines += try inventory.rows("SELECT reservation_id, status, updated_at FROM reservations ORDER BY sequence") {
      "\($0[0] as String) \($0[1] as String) \($0[2] as Int64)"
    }
    lines += try notifications.rows("SELECT email_id, kind, created_at FROM emails ORDER BY sequence") {
      "\($0[0] as String) \($0[1] as String) \($0[2] as Int64)"
    }
    return lines.joined(separator: "\n")
  }
}

extension DecodedEvent {
  /// The number of the event among those of its order, where it can be read.
  var version: Int64? {
    switch self {
    case .event(let event): event.envelope.orderVersion
    case .unknownType(_, _, _, let version), .unreadable(_, _, _, _, let version): version
    }
  }

  var eventID: EventID? {
    switch self {
    case .event(let event): event.envelope.eventID
    case .unknownType(_, let id, _, _), .unreadable(_, _, let id, _, _): id
    }
  }
}

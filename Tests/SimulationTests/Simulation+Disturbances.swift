import EventSchema
import GRDB
import Messaging
import MessagingSQLite
import TestSupport
import WireFormat

/// A store that refuses an order's rows.
struct Poison {
  let service: String
  let orderID: OrderID
}

/// What goes wrong.
extension Simulation {
  /// One of the run's faults happens, or ends.
  ///
  /// - Parameter isInBetween: some instance is in the middle of its round: what stops the whole world is not for now.
  func disturb(isInBetween: Bool = false) throws {
    if !isInBetween, Int.random(in: 0..<4, using: &random) == 0 { return try recover() }
    guard let fault = faults.sorted(by: { "\($0)" < "\($1)" }).randomElement(using: &random) else { return }
    switch fault {
    case .death: try killSomebody()
    case .interleaving, .pause: advance(.seconds(Int.random(in: 1...5, using: &random)))
    case .instances: startAnother(upTo: 3)
    case .leaving: try leave()
    case .expulsion: expelSomebody()
    case .lateCommits: commitLate(Bool.random(using: &random))
    case .outage: outage()
    case .lostAcknowledgements: misbehave()
    case .lateAcknowledgements: holdAcknowledgements()
    case .brokenProducers: breakProducers()
    case .dataLoss: try loseData(isInBetween: isInBetween)
    case .copies: copy()
    case .heldRecords: holdRecords()
    case .smallFetches: limitFetches()
    case .garbage: throwGarbage()
    case .foreigners: try foreignOrder()
    case .poison: try poisonSomething()
    case .fullDisk: try fillDisk()
    case .operators: try operatorActs()
    case .clockJumps: jump()
    }
  }

  /// Something that was wrong is well again.
  private func recover() throws {
    switch Int.random(in: 0..<7, using: &random) {
    case 0, 1: startAnother(upTo: 1)
    case 2: noticeADeath()
    case 3: bringBrokerUp()
    case 4: try emptyDisks()
    case 5: try curePoison(all: Bool.random(using: &random))
    default:
      broker.onProduce(nil)
      broker.releaseAcknowledgements()
      broker.holdRecords(of: [])
      broker.limitFetches(to: nil)
      note("the broker behaves")
    }
  }

  /// All that was wrong is well again: from here on the system is on its own.
  func endAllFaults() throws {
    isDisturbed = false
    broker.onProduce(nil)
    broker.releaseAcknowledgements()
    broker.holdRecords(of: [])
    broker.limitFetches(to: nil)
    commitLate(false)
    bringBrokerUp()
    while !unnoticedDeaths.isEmpty { noticeADeath() }
    try emptyDisks()
    try curePoison(all: true)
    for service in services where service.processes.isEmpty { start(service) }
  }

  // MARK: Instances

  private func killSomebody() throws {
    // One in the middle of a round dies at its next step.
    guard let process = services.flatMap(\.processes).filter(\.isAlive).randomElement(using: &random) else { return }
    note("\(process.name) dies")
    process.die()
    if process.isIdle { try bury(process) }
  }

  private func startAnother(upTo limit: Int) {
    let few = services.filter { $0.processes.count < limit }
    guard let service = few.randomElement(using: &random) else { return }
    start(service)
  }

  private func leave() throws {
    guard let process = services.flatMap(\.processes).filter({ $0.isAlive && $0.isIdle }).randomElement(using: &random)
    else { return }
    note("\(process.name) leaves")
    process.leave()
    services.first { $0.group == process.group }?.remove(process)
    try checkNothingWasSkipped()
  }

  private func expelSomebody() {
    guard let process = services.flatMap(\.processes).randomElement(using: &random), let memberID = process.memberID
    else { return }
    note("\(process.group) takes \(process.name) for dead")
    broker.expel(memberID, from: process.group)
  }

  private func noticeADeath() {
    guard !unnoticedDeaths.isEmpty else { return }
    let dead = unnoticedDeaths.removeFirst()
    note("\(dead.group) notices that member \(dead.memberID) is dead")
    broker.expel(dead.memberID, from: dead.group)
  }

  private func commitLate(_ value: Bool) {
    note("stored offsets are committed \(value ? "late" : "at once")")
    broker.commitStoredOffsetsAtOnce(!value)
  }

  // MARK: The broker

  private func outage() {
    guard isBrokerUp else {
      if Bool.random(using: &random) { return bringBrokerUp() }
      note("what waits for the broker times out")
      return broker.timeOutWaitingMessages()
    }
    note("the broker is away")
    isBrokerUp = false
    broker.takeDown()
  }

  private func bringBrokerUp() {
    guard !isBrokerUp else { return }
    note("the broker is back")
    isBrokerUp = true
    broker.bringUp()
  }

  private func misbehave() {
    let fates: [InMemoryBroker.Fate] = [
      .acknowledge, .acknowledge, .fail(Self.timedOut), .writeAndFail(Self.timedOut), .writeAndFail(Self.timedOut),
    ]
    let salt = UInt64.random(in: 0 ... .max, using: &random)
    note("some messages fail, some acknowledgements are lost")
    broker.onProduce { message in
      var hash = SeededGenerator(seed: salt &+ UInt64(MurmurPartitioner.hash(message.value ?? [])))
      return fates.randomElement(using: &hash) ?? .acknowledge
    }
  }

  private static let timedOut = BrokerError(kind: .retriable, name: "_MSG_TIMED_OUT", detail: "simulated")

  private func holdAcknowledgements() {
    let holds = Bool.random(using: &random)
    note(holds ? "acknowledgements are held back" : "acknowledgements come")
    holds ? broker.holdAcknowledgements() : broker.releaseAcknowledgements()
  }

  private func breakProducers() {
    note("producers refuse to go on")
    broker.breakProducers()
  }

  /// Under its old name a broker that lost its data is recognised only while its log is short: relays get to look at it
  /// before anybody else writes (`BrokerInspection` says why that is enough).
  private func loseData(isInBetween: Bool) throws {
    losses += 1
    guard isInBetween || Bool.random(using: &random) else { return try loseDataUnderTheSameName() }
    note("the broker has lost its data and is another cluster")
    broker.loseData(newClusterID: "in-memory-\(losses + 1)")
  }

  private func loseDataUnderTheSameName() throws {
    quietLosses += 1
    broker.onProduce(nil)
    broker.releaseAcknowledgements()
    bringBrokerUp()
    try emptyDisks()
    for service in services where service.processes.isEmpty { start(service) }
    note("the broker has lost its data and says nothing")
    broker.loseData()
    let wasDisturbed = isDisturbed
    isDisturbed = false
    for _ in 0..<45 {
      for process in services.flatMap(\.processes) {
        for _ in 0..<3 where process.isFree(.relay) { try turn(process, .relay) }
      }
      clock.advance(by: .milliseconds(1_500))
    }
    isDisturbed = wasDisturbed
  }

  private func copy() {
    guard let topic = [Topics.orders, Topics.inventory].randomElement(using: &random) else { return }
    let records = broker.records(of: topic)
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      guard let record = records.randomElement(using: &random) else { return }
      note("\(record.topicPartition) \(record.offset) comes once more")
      produce(OutgoingMessage(topic: topic, key: record.key, value: record.value, headers: record.headers))
    }
  }

  private func holdRecords() {
    let all = [Topics.orders, Topics.inventory].flatMap { topic in (0..<4).map { TopicPartition(topic, $0) } }
    let held = all.filter { _ in Int.random(in: 0..<3, using: &random) == 0 }
    note("records of \(held) come late")
    broker.holdRecords(of: Set(held))
  }

  private func limitFetches() {
    let maximum = Int.random(in: 1...3, using: &random)
    note("at most \(maximum) records at a time")
    broker.limitFetches(to: maximum)
  }

  /// Somebody else writes to a topic.
  func produce(_ message: OutgoingMessage) {
    guard isBrokerUp else { return }
    _ = try? stranger.enqueue([(0, message)])
    _ = stranger.deliveries(timeout: .zero)
  }

  // MARK: Stores

  /// In each store a table of orders, and triggers that refuse their rows.
  func preparePoison() throws {
    let refused = [
      (orders.database, [("orders", "UPDATE")]),
      (inventory.database, [("reservations", "INSERT"), ("reservations", "UPDATE")]),
      (notifications.database, [("emails", "INSERT")]),
    ]
    for (database, triggers) in refused {
      try database.writeBlocking { transaction in
        try transaction.database.execute(sql: "CREATE TABLE poison (order_id TEXT NOT NULL PRIMARY KEY)")
        for (table, statement) in triggers {
          try transaction.database.execute(
            sql: """
              CREATE TRIGGER poison_\(table)_\(statement) BEFORE \(statement) ON \(table)
              WHEN EXISTS (SELECT 1 FROM poison WHERE order_id = NEW.order_id)
              BEGIN SELECT RAISE(ABORT, 'poisoned'); END
              """)
        }
      }
    }
  }

  private func poisonSomething() throws {
    guard let service = services.randomElement(using: &random),
      let order = book.entries.suffix(3).randomElement(using: &random), !isPoisoned(order.id, at: service.name)
    else { return }
    guard try write(service, "INSERT INTO poison VALUES (?)", [order.id.rawValue]) else { return }
    poison.append(Poison(service: service.name, orderID: order.id))
    note("\(service.name) cannot write order \((book.entries.firstIndex { $0.id == order.id } ?? 0) + 1)")
  }

  private func curePoison(all: Bool) throws {
    while let cured = poison.first {
      guard let service = services.first(where: { $0.name == cured.service }),
        try write(service, "DELETE FROM poison WHERE order_id = ?", [cured.orderID.rawValue])
      else { return }
      poison.removeFirst()
      note("\(cured.service) can write order \((book.entries.firstIndex { $0.id == cured.orderID } ?? 0) + 1) again")
      if !all { return }
    }
  }

  func isPoisoned(_ order: OrderID, at service: String) -> Bool {
    poison.contains { $0.service == service && $0.orderID == order }
  }

  private func fillDisk() throws {
    guard let service = services.randomElement(using: &random), !fullDisks.contains(service.name) else { return }
    try service.database.writeBlocking { transaction in
      let pages = try Int.fetchOne(transaction.database, sql: "PRAGMA page_count") ?? 0
      try transaction.database.execute(sql: "PRAGMA max_page_count = \(pages)")
    }
    fullDisks.insert(service.name)
    note("the disk of \(service.name) is full")
  }

  private func emptyDisks() throws {
    for service in services where fullDisks.contains(service.name) {
      _ = try write(service, "PRAGMA max_page_count = 1073741823", [])
      note("\(service.name) has room again")
    }
    fullDisks = []
  }

  private func write(
    _ service: any SimulatedServiceRole, _ sql: String, _ arguments: StatementArguments
  ) throws -> Bool {
    do {
      try service.database.writeBlocking { try $0.database.execute(sql: sql, arguments: arguments) }
      return true
    } catch is StoreUnavailable {
      return false
    }
  }

  private func jump() {
    let seconds = Int.random(in: -15...15, using: &random)
    note("the time of day jumps by \(seconds) s")
    clock.jump(by: .seconds(seconds))
  }
}

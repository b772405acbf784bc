import FaultInjection
import Messaging
import MessagingSQLite
import TestSupport
import WireFormat

@testable import Inventory
@testable import Notifications
@testable import Orders

/// The three services as they are wired, over stores and a broker in memory, on one thread: everything that happens, and
/// in which order, follows from the seed.
///
/// First anything may go wrong, and only what must never happen is looked for. Then all faults end, and the system has to
/// come to rest within a bound; then everything that is promised is checked in the stores and on the topics.
///
/// Threads: one, that of ``run()``, and what it waits for.
final class Simulation: @unchecked Sendable {
  // @unchecked: the failpoints' handler is Sendable by its type, and is called on the one thread that runs all this.

  let seed: UInt64
  let faults: Set<Fault>
  let clock = SimulatedClock()
  let trace: Trace
  let broker: InMemoryBroker
  let orders: SimulatedService<OrderApplication>
  let inventory: SimulatedService<InventoryApplication>
  let notifications: SimulatedService<NotificationApplication>
  /// What broke a promise; empty where everything was kept.
  private(set) var violations: [String] = []

  var random: SeededGenerator
  var book = OrderBook()
  /// Members of groups that died, and whose groups have not noticed.
  var unnoticedDeaths: [(group: String, memberID: String)] = []
  var isBrokerUp = true
  /// How often the broker has lost its data, and how often of these under its old name.
  var losses = 0
  var quietLosses = 0
  var poison: [Poison] = []
  var fullDisks: Set<String> = []
  var strangers = 0
  /// Redrives between two of their attempts, by whomever they were asked for.
  var redrives: [Redrive] = []
  /// Orders whose way was given up by people.
  var givenUp: Set<String> = []
  /// What people have done about dead letters and gaps, by service: each has left a row, besides those of redrives that failed again.
  var dealtWith: [String: Int64] = [:]
  let stranger: any MessageProducer
  /// Faults happen; not any more when the system has to come to rest.
  var isDisturbed = true
  /// How many rounds are in the middle of each other.
  private var depth = 0
  private var steps: [String] = []

  var services: [any SimulatedServiceRole] { [orders, inventory, notifications] }

  init(seed: UInt64, isDetailed: Bool = false) throws {
    self.seed = seed
    random = SeededGenerator(seed: seed)
    faults = Fault.some(using: &random)
    trace = Trace(clock: clock, isDetailed: isDetailed)
    let partitions = Int.random(in: 1...4, using: &random)
    broker = InMemoryBroker(
      topics: ["orders": partitions, "inventory": partitions, "orders-dlq": partitions, "inventory-dlq": partitions],
      clocks: clock.clocks)
    stranger = try broker.makeProducer()
    let retry = RetryPolicy(maxAttempts: 3, initialBackoff: .milliseconds(100), maxBackoff: .seconds(2))
    orders = try SimulatedService(retry: retry)
    inventory = try SimulatedService(retry: retry)
    notifications = try SimulatedService(retry: retry)
  }

  deinit {
    for service in services { try? service.database.close() }
  }

  /// Runs it all.
  func run() throws {
    trace.note("seed \(seed): \(faults.map { "\($0)" }.sorted().joined(separator: " "))")
    try preparePoison()
    for service in services { start(service) }
    try openShop()
    if faults.contains(.lateCommits) { broker.commitStoredOffsetsAtOnce(false) }
    for _ in 0..<Int.random(in: 40...140, using: &random) {
      try act()
      guard violations.isEmpty else { return }
    }
    try becomeQuiet()
    guard violations.isEmpty else { return }
    try checkPromises()
    try checkItStaysQuiet()
    trace.seal(try finalState())
  }

  func violation(_ what: String) {
    trace.note("BROKEN: \(what)")
    violations.append(what)
  }

  // MARK: One thing after the other

  /// Something happens: most often, an instance does what it does.
  func act() throws {
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<27: try turnOfAnybody(.relay)
    case 27..<57: try turnOfAnybody(.worker)
    case 57..<64: advance(.milliseconds(Int.random(in: 1...1_500, using: &random)))
    case 64..<84: try customerActs()
    default: try disturb()
    }
  }

  func advance(_ duration: Duration) {
    clock.advance(by: duration)
    note("time passes: \(duration)")
  }

  private func turnOfAnybody(_ part: SimulatedProcess.Part) throws {
    let free = services.flatMap(\.processes).filter { $0.isFree(part) }
    guard let process = free.randomElement(using: &random) else { return }
    try turn(process, part)
  }

  /// A round of a relay or a worker; it may die in it, and others may do something meanwhile.
  func turn(_ process: SimulatedProcess, _ part: SimulatedProcess.Part) throws {
    let outer = steps
    steps = []
    depth += 1
    do {
      try FaultInjection.withHandler({ [unowned self] failpoint, subject in
        try reached(failpoint, subject, process, part)
      }) {
        try process.turn(part)
      }
    } catch is SimulatedDeath {
      // It is dead; what that means follows below.
    } catch {
      violation("\(process.name) \(part.rawValue) stopped: \(error)")
    }
    tell(process, part)
    depth -= 1
    steps = outer
    if !process.isAlive { try bury(process) }
  }

  /// An instance comes to its next step, or to a failpoint in it.
  private func reached(
    _ failpoint: Failpoint, _ subject: String, _ process: SimulatedProcess, _ part: SimulatedProcess.Part
  ) throws {
    guard process.isAlive else { throw SimulatedDeath() }
    if isDisturbed {
      let dice = Int.random(in: 0..<1_000, using: &random)
      if dice < 12, faults.contains(.death) {
        tell(process, part)
        note("\(process.name) dies before: \(subject) (\(failpoint))")
        process.die()
        throw SimulatedDeath()
      }
      if dice >= 920, depth < 3, faults.contains(.interleaving) {
        tell(process, part)
        note("before \(process.name) comes to: \(subject)")
        try actInBetween()
      } else if dice < 18, depth == 1, faults.contains(.pause) {
        tell(process, part)
        note("\(process.name) stands still before: \(subject)")
        try letTheOthersGoOn(without: process)
        note("\(process.name) goes on")
      }
      guard process.isAlive else { throw SimulatedDeath() }
    }
    steps.append(failpoint.rawValue.hasSuffix(".step") ? subject : failpoint.rawValue)
  }

  private func actInBetween() throws {
    switch Int.random(in: 0..<10, using: &random) {
    case 0..<3: try turnOfAnybody(.relay)
    case 3..<6: try turnOfAnybody(.worker)
    case 6..<8: try customerActs()
    default: try disturb(isInBetween: true)
    }
  }

  /// What happens while an instance stands still: somebody takes its place.
  private func letTheOthersGoOn(without process: SimulatedProcess) throws {
    if Bool.random(using: &random), let service = services.first(where: { $0.group == process.group }) {
      start(service)
    }
    advance(.seconds(Int.random(in: 1...6, using: &random)))
    if let memberID = process.memberID { broker.expel(memberID, from: process.group) }
    for _ in 0..<Int.random(in: 5...25, using: &random) {
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<4: try turnOfAnybody(.relay)
      case 4..<7: try turnOfAnybody(.worker)
      case 7: try customerActs()
      case 8: advance(.milliseconds(Int.random(in: 1...900, using: &random)))
      default: try disturb(isInBetween: true)
      }
    }
  }

  // MARK: Coming and going

  func start(_ service: any SimulatedServiceRole) {
    let process = service.start(
      broker: broker, clocks: clock.clocks, trace: trace, seed: UInt64.random(in: 0 ... .max, using: &random))
    note("\(process.name) starts")
  }

  /// What was in its memory is gone. Its group notices later.
  func bury(_ process: SimulatedProcess) throws {
    guard let service = services.first(where: { $0.processes.contains { $0 === process } }) else { return }
    if let memberID = process.memberID { unnoticedDeaths.append((process.group, memberID)) }
    process.vanish()
    service.remove(process)
    try checkNothingWasSkipped()
  }

  // MARK: The trace

  func note(_ line: String) {
    trace.note(line, depth: depth)
  }

  /// What an instance has done since it was last spoken of.
  private func tell(_ process: SimulatedProcess, _ part: SimulatedProcess.Part) {
    let line = "\(process.name) \(part.rawValue): \(steps.joined(separator: ", "))"
    if !steps.isEmpty, isDisturbed { trace.note(line, depth: depth - 1) }
    if !steps.isEmpty, !isDisturbed { trace.remark(line) }
    steps = []
  }
}

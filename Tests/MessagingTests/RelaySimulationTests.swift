import Foundation
import Messaging
import MessagingSQLite
import TestSupport
import Testing

/// Relays over a store and a broker, with every fault these can have, in an order that follows from a seed.
@Suite("Outbox relay: simulation")
struct RelaySimulationTests {
  @Test(arguments: Seeds.from(0))
  func whateverHappensEveryRowArrivesAndKeysStayInOrder(_ seeds: Range<UInt64>) throws {
    for seed in seeds { try checkOrder(seed) }
  }

  private func checkOrder(_ seed: UInt64) throws {
    var simulation = try RelaySimulation(seed: seed, losesData: false)
    try simulation.run(steps: 150)
    try simulation.becomeQuiet()

    #expect(try simulation.world.store.unpublished() == [], "seed \(seed)")
    simulation.world.expectFirstCopiesInOrder("seed \(seed)")
  }

  @Test(arguments: Seeds.from(1_000_000))
  func aBrokerThatLosesItsDataGetsItAll(_ seeds: Range<UInt64>) throws {
    for seed in seeds { try checkLoss(seed) }
  }

  private func checkLoss(_ seed: UInt64) throws {
    var simulation = try RelaySimulation(seed: seed, losesData: true)
    try simulation.run(steps: 150)
    try simulation.becomeQuiet()

    #expect(try simulation.world.store.unpublished() == [], "seed \(seed)")
    let published = Set(simulation.world.published())
    for ids in simulation.world.appended.values {
      #expect(published.isSuperset(of: ids), "seed \(seed)")
    }
  }
}

/// Seeds in a few portions: a test case each would be thousands of lines of output. `SIMULATION_SEEDS` says how many.
enum Seeds {
  static func from(_ first: UInt64) -> [Range<UInt64>] {
    let count = ProcessInfo.processInfo.environment["SIMULATION_SEEDS"].flatMap { UInt64($0) } ?? 100
    let size = max(1, count / 4)
    return stride(from: first, to: first + count, by: Int(size)).map { $0..<min($0 + size, first + count) }
  }
}

private struct RelaySimulation {
  let world: RelayWorld
  private var random: SeededGenerator
  private var relays: [(relay: OutboxRelay<SQLiteOutbox>, loop: OutboxRelayLoop<SQLiteOutbox>)] = []
  private let losesData: Bool
  private var clusters = 1

  init(seed: UInt64, losesData: Bool) throws {
    random = SeededGenerator(seed: seed)
    self.losesData = losesData
    world = try RelayWorld(partitions: 2, producerQueueLimit: Int.random(in: 3...40, using: &random))
    world.configuration.maximumRows = Int.random(in: 4...60, using: &random)
    world.configuration.maximumUnmarkedRows = Int.random(in: 1...60, using: &random)
    world.configuration.maximumRowsPerKey = Int.random(in: 2...8, using: &random)
    world.configuration.pageSize = Int.random(in: 2...20, using: &random)
    world.configuration.epochStepSize = Int.random(in: 1...40, using: &random)
    world.configuration.refusedRowRetry = .seconds(2)
    world.configuration.inspectionInterval = .seconds(3)
    world.configuration.seed = seed
    world.configuration.markInterval = .milliseconds(Int.random(in: 0...200, using: &random))
    for number in 0..<2 { start("relay-\(number)") }
  }

  private mutating func start(_ name: String) {
    let relay = world.relay(name)
    let marks = Bool.random(using: &random)
    relays.append((relay, relay.makeLoop(marks: marks ? .untilTheNextTurn : .inOneTurn)))
  }

  mutating func run(steps: Int) throws {
    for _ in 0..<steps {
      switch Int.random(in: 0..<27, using: &random) {
      case 0..<7: try append()
      case 7..<16: relays.randomElement(using: &random)?.loop.turn(waitingAtMost: .zero)
      case 16, 17: world.advance(.milliseconds(Int.random(in: 1...900, using: &random)))
      case 18: world.advance(.seconds(Int.random(in: 1...5, using: &random)))
      case 19: world.broker.takeDown()
      case 20: world.broker.bringUp()
      case 21: world.broker.timeOutWaitingMessages()
      case 22: world.broker.holdAcknowledgements()
      case 23: world.broker.releaseAcknowledgements()
      case 24: misbehave()
      case 25: crash()
      default:
        if losesData, Int.random(in: 0..<6, using: &random) == 0 { loseData() } else { world.broker.breakProducers() }
      }
    }
  }

  private mutating func append() throws {
    let number = Int.random(in: 1...6, using: &random)
    try world.append((0..<number).map { _ in "key-\(Int.random(in: 0..<5, using: &random))" })
    if Int.random(in: 0..<4, using: &random) > 0 { relays.randomElement(using: &random)?.relay.wake() }
  }

  private mutating func misbehave() {
    let fates: [InMemoryBroker.Fate] = [
      .acknowledge, .acknowledge, .fail(timedOut), .writeAndFail(timedOut), .fail(tooLarge),
    ]
    let salt = UInt64.random(in: 0 ... .max, using: &random)
    world.broker.onProduce { message in
      var hash = SeededGenerator(seed: salt &+ UInt64(MurmurPartitioner.hash(message.value ?? [])))
      return fates.randomElement(using: &hash) ?? .acknowledge
    }
  }

  /// A relay's process dies, with everything it had in memory; another is started.
  private mutating func crash() {
    relays.remove(at: Int.random(in: 0..<relays.count, using: &random))
    start("relay-\(UInt16.random(in: 0 ... .max, using: &random))")
  }

  private mutating func loseData() {
    clusters += 1
    if Bool.random(using: &random) { return world.broker.loseData(newClusterID: "cluster-\(clusters)") }
    // Under the old name a loss shows only while the log is short: a relay has to get to look at it.
    world.broker.onProduce(nil)
    world.broker.bringUp()
    world.broker.releaseAcknowledgements()
    world.broker.loseData()
    for _ in 0..<20 {
      for (_, loop) in relays { loop.settle(4) }
      world.advance(.milliseconds(900))
    }
  }

  /// All faults end; then the relays have to come to rest within a bound.
  mutating func becomeQuiet() throws {
    world.broker.onProduce(nil)
    world.broker.bringUp()
    world.broker.releaseAcknowledgements()
    for _ in 0..<120 {
      for (_, loop) in relays { loop.settle(6) }
      world.advance(.milliseconds(800))
    }
  }
}

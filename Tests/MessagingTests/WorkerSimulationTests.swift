import MessagingSQLite
import Synchronization
import TestSupport
import Testing

@testable import Messaging

/// Members of a group over one store, with every fault these can have, in an order that follows from a seed.
@Suite("Consumer worker: simulation")
struct WorkerSimulationTests {
  @Test(arguments: Seeds.from(0))
  func whateverHappensEachEventHasOneEffectInTheOrderOfItsKey(_ seeds: Range<UInt64>) throws {
    for seed in seeds { try check(seed) }
  }

  private func check(_ seed: UInt64) throws {
    var simulation = try WorkerSimulation(seed: seed)
    try simulation.run(steps: 120)
    try simulation.becomeQuiet()

    for (key, version) in simulation.versions {
      let poison = simulation.poison[key] ?? .max
      let expected = (1...version).filter { $0 < poison }.map { "\(key)\($0)" }
      #expect(try simulation.world.effects(of: key) == expected, "seed \(seed)")
    }
    let poisoned = simulation.poison.filter { $0.value <= simulation.versions[$0.key] ?? 0 }
    let deadLetters = try simulation.world.deadLetters()
    #expect(deadLetters.filter { !$0.contains("/") } == poisoned.map { "\($0.key)\($0.value)" }, "seed \(seed)")
    #expect(Set(deadLetters).count == deadLetters.count, "seed \(seed)")
    #expect(deadLetters.count == poisoned.count + simulation.garbage, "seed \(seed)")
  }
}

private struct WorkerSimulation {
  let world: WorkerWorld
  private(set) var versions: [String: Int64] = [:]
  /// The version of a key that fails at every attempt.
  private(set) var poison: [String: Int64] = [:]
  private(set) var garbage = 0
  private var random: SeededGenerator
  private var held: [TestEvent] = []
  private var members: [(worker: WorkerWorld.Worker, loop: ConsumerWorkerLoop<FlakyInbox, TestEvent>)] = []

  init(seed: UInt64) throws {
    random = SeededGenerator(seed: seed)
    world = try WorkerWorld(partitions: 3)
    world.configuration.seed = seed
    world.configuration.maximumBatch = Int.random(in: 1...20, using: &random)
    world.configuration.maximumQueued = Int.random(in: 5...60, using: &random)
    if Bool.random(using: &random) { poison["key-1"] = Int64.random(in: 1...4, using: &random) }
    world.broker.commitStoredOffsetsAtOnce(Bool.random(using: &random))
    for _ in 0..<2 { join() }
    disturbHandlers()
  }

  private mutating func join() {
    let worker = world.worker()
    members.append((worker, worker.makeLoop()))
  }

  /// A first or second attempt may fail by chance; poison always does.
  private mutating func disturbHandlers() {
    let poison = poison
    let generator = Mutex(SeededGenerator(seed: random.next()))
    world.failure.set { event, delivery in
      if let version = event.version, poison[event.key] == version { return Ordered() }
      guard delivery.attempt < 3 else { return nil }
      return generator.withLock { Int.random(in: 0..<8, using: &$0) } == 0 ? Ordered() : nil
    }
  }

  mutating func run(steps: Int) throws {
    for _ in 0..<steps {
      switch Int.random(in: 0..<24, using: &random) {
      case 0..<6: try publish()
      case 6..<15: try members.randomElement(using: &random)?.loop.turn(waitingAtMost: .zero)
      case 15, 16: world.advance(.milliseconds(Int.random(in: 1...1_500, using: &random)))
      case 17: disturbStore()
      case 18: world.inbox.fails { .none }
      case 19: Bool.random(using: &random) ? world.broker.takeDown() : world.broker.bringUp()
      case 20: crash()
      case 21: expel()
      case 22: leave()
      default: try publishGarbage()
      }
    }
  }

  /// New versions of some keys; now and then one is held back, doubled, or comes long after.
  private mutating func publish() throws {
    var events: [TestEvent] = []
    for _ in 0..<Int.random(in: 1...5, using: &random) {
      let key = "key-\(Int.random(in: 0..<6, using: &random))"
      versions[key, default: 0] += 1
      let event = TestEvent.next(key, versions[key] ?? 1)
      switch Int.random(in: 0..<8, using: &random) {
      case 0: held.append(event)
      case 1: events += [event, event]
      default: events.append(event)
      }
    }
    if Bool.random(using: &random) {
      events += held.shuffled(using: &random)
      held = []
    }
    try world.publish(events)
  }

  private mutating func publishGarbage() throws {
    garbage += 1
    try world.publish([OutgoingMessage(topic: WorkerWorld.topic, key: nil, value: Array("garbage \(garbage)".utf8))])
  }

  private mutating func disturbStore() {
    let generator = Mutex(SeededGenerator(seed: random.next()))
    world.inbox.fails {
      switch generator.withLock({ Int.random(in: 0..<5, using: &$0) }) {
      case 0: .afterCommit
      case 1, 2: .before
      default: .none
      }
    }
  }

  private mutating func crash() {
    let (worker, loop) = members.remove(at: Int.random(in: 0..<members.count, using: &random))
    let member = worker.status().consumer?.memberID
    loop.abandon()
    if let member { world.broker.expel(member, from: WorkerWorld.group) }
    join()
  }

  private mutating func expel() {
    guard let member = members.randomElement(using: &random)?.worker.status().consumer?.memberID else { return }
    world.broker.expel(member, from: WorkerWorld.group)
  }

  private mutating func leave() {
    members.remove(at: Int.random(in: 0..<members.count, using: &random)).loop.close()
    join()
  }

  /// All faults end, everything held back is published; then the group has to come to rest within a bound.
  mutating func becomeQuiet() throws {
    world.broker.bringUp()
    world.inbox.fails { .none }
    try world.publish(held)
    held = []
    for _ in 0..<150 {
      for (_, loop) in members { try loop.settle(4) }
      world.advance(.seconds(1))
    }
  }
}

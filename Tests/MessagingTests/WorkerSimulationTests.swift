import GRDB
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
    #expect(try simulation.publishedOncePerRedrive(), "seed \(seed)")

    // What was poison is mended, or given up: one effect, or none, and everything behind it follows.
    let isMended = seed % 2 == 0
    try simulation.endPoison(mended: isMended)
    for (key, version) in simulation.versions {
      let poison = simulation.poison[key] ?? .max
      let expected = (1...version).filter { isMended || $0 != poison }.map { "\(key)\($0)" }
      #expect(try simulation.world.effects(of: key) == expected, "seed \(seed)")
    }
    #expect(try simulation.world.store.count("SELECT COUNT(*) FROM parked_events") == 0, "seed \(seed)")
    #expect(try simulation.publishedOncePerRedrive(), "seed \(seed)")
  }
}

private struct WorkerSimulation {
  private static let death = "the handler took its process with it"
  private static let somebody = Requester(name: "somebody")

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
      let chance = generator.withLock { Int.random(in: 0..<64, using: &$0) }
      // A death at the last attempt would make a dead letter of an event that nothing is wrong with.
      if chance == 0, delivery.attempt < 3 { return StopConsuming(Self.death) }
      if let version = event.version, poison[event.key] == version { return Ordered() }
      return chance < 8 && delivery.attempt < 3 ? Ordered() : nil
    }
  }

  mutating func run(steps: Int) throws {
    for _ in 0..<steps {
      switch Int.random(in: 0..<27, using: &random) {
      case 0..<6: try publish()
      case 6..<15: try turn(Int.random(in: 0..<members.count, using: &random))
      case 24: try redrive()
      case 25: try republish()
      case 26: try discardGarbage()
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

  /// One round of a member, which may be its last.
  private mutating func turn(_ index: Int, rounds: Int = 1) throws {
    do {
      try members[index].loop.settle(rounds)
    } catch let error as StopConsuming where error.reason == Self.death {
      world.inbox.dies()
      end(index)
    }
  }

  private mutating func end(_ index: Int) {
    let (worker, loop) = members.remove(at: index)
    let member = worker.status().consumer?.memberID
    loop.abandon()
    if let member { world.broker.expel(member, from: WorkerWorld.group) }
    join()
  }

  /// Somebody asks some instance for some dead letter's redrive; it fails again where nothing has changed.
  private mutating func redrive() throws {
    let number = Int64(try world.store.count("SELECT COUNT(*) FROM dead_letters"))
    guard number > 0 else { return }
    try redrive(Int64.random(in: 1...number, using: &random), on: Int.random(in: 0..<members.count, using: &random))
  }

  private mutating func redrive(_ id: Int64, on index: Int) throws {
    let worker = members[index].worker
    var redrives: Int?
    do {
      for attempt in 1...3 {
        guard
          case .again(let begunAt) = try worker.redriveStep(id, attempt: attempt, begunAt: redrives, by: Self.somebody)
        else { return }
        redrives = begunAt
      }
    } catch is StoreUnavailable {
      // Whether it was done, nobody knows: it can be asked for again.
    } catch let error as StopConsuming where error.reason == Self.death {
      world.inbox.dies()
      end(index)
    }
  }

  /// As `outbox replay` does: everything of a key once more.
  private mutating func republish() throws {
    guard let (key, version) = versions.sorted(by: { $0.key < $1.key }).randomElement(using: &random) else { return }
    let kept = Set(held.filter { $0.key == key }.compactMap(\.version))
    try world.publish((1...version).filter { !kept.contains($0) }.map { .next(key, $0) })
  }

  private mutating func discardGarbage() throws {
    let ids = try world.store.database.readBlocking {
      try Int64.fetchAll($0, sql: "SELECT id FROM dead_letters WHERE event_id LIKE '%/%' ORDER BY id")
    }
    guard let id = ids.randomElement(using: &random) else { return }
    do { _ = try members[0].worker.discardStep(id, by: Self.somebody) } catch is StoreUnavailable {}
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
    end(Int.random(in: 0..<members.count, using: &random))
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
    try settle(seconds: 150)
  }

  private mutating func settle(seconds: Int) throws {
    for _ in 0..<seconds {
      for index in members.indices { try turn(index, rounds: 4) }
      world.advance(.seconds(1))
    }
  }

  mutating func endPoison(mended: Bool) throws {
    world.failure.set { _, _ in nil }
    for id in try openPoison() {
      if mended {
        try redrive(id, on: 0)
      } else {
        _ = try members[0].worker.discardStep(id, by: Self.somebody)
      }
    }
    try settle(seconds: 10)
  }

  private func openPoison() throws -> [Int64] {
    try world.store.database.readBlocking {
      try Int64.fetchAll($0, sql: "SELECT id FROM dead_letters WHERE status = 'open' AND event_id NOT LIKE '%/%'")
    }
  }

  /// Every number of redrives of every dead letter is in the outbox once, and has its audit row.
  func publishedOncePerRedrive() throws -> Bool {
    let expected = try world.store.count("SELECT coalesce(sum(redrives + 1), 0) FROM dead_letters")
    return try world.store.count("SELECT COUNT(DISTINCT event_id) FROM outbox") == expected
      && world.store.count("SELECT COUNT(*) FROM outbox") == expected
      && world.store.count("SELECT COUNT(*) FROM dead_letter_audit WHERE outcome = 'failed_again'")
        == world.store.count("SELECT coalesce(sum(redrives), 0) FROM dead_letters")
  }
}

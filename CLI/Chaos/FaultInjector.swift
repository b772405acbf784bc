import Foundation
import Messaging
import MessagingKafka
import Synchronization

/// Carries out the faults of a plan, and remembers which processes it has harmed.
struct FaultInjector: Sendable {
  let fleet: ServiceFleet
  let broker: EmbeddedBroker
  let stray: StrayRecords
  /// Nil where the machine does not allow one; such faults are left out.
  let disk: SmallDisk?
  let record: FaultRecord
  /// Told of each fault in a line as it happens.
  let say: @Sendable (String) -> Void

  /// Returns when every fault is over, also after a cancellation.
  func perform(_ plan: ChaosPlan, from start: ContinuousClock.Instant) async {
    await withTaskGroup(of: Void.self) { group in
      for step in plan.steps {
        do {
          try await Task.sleep(until: start + step.time, clock: .continuous)
        } catch {
          break
        }
        group.addTask { await perform(step.fault, at: .now - start) }
      }
    }
  }

  private func perform(_ fault: Fault, at time: Duration) async {
    func tell(_ what: String) { say("\(time.stamp)  \(fault.kind.column)  \(what)") }
    do {
      switch fault {
      case .kill(let choice): tell(try await signal(SIGKILL, choice, .killed).name(fault))
      case .restart(let choice): tell(try await signal(SIGTERM, choice, .asked).name(fault))
      case .pause(let choice, let length):
        let harmed = try await signal(SIGSTOP, choice, .paused)
        tell(harmed.name(fault))
        await pass(length)
        harmed.process.send(SIGCONT)
      case .brokerDown(let length):
        try broker.setDown()
        tell(fault.description)
        await pass(length)
        try broker.setUp()
      case .requestErrors(let errors):
        try errors.push(to: broker)
        tell(fault.description)
      case .slowBroker(let roundTrip, let length):
        try broker.setRoundTripTime(roundTrip)
        tell(fault.description)
        await pass(length)
        try broker.setRoundTripTime(.zero)
      case .noLeader(let topic, let partition, let length):
        try broker.setLeader(of: TopicPartition(topic, partition), to: nil)
        tell(fault.description)
        await pass(length)
        try broker.setLeader(of: TopicPartition(topic, partition), to: 1)
      case .copies(let count, let seed):
        tell("\(try stray.copy(count, seed: seed)) copies of earlier records")
      case .garbage(let garbage, let topic, let seed):
        try stray.write([garbage.record(topic: topic, seed: seed)])
        tell(fault.description)
      case .fullDisk(let length):
        guard let disk else { throw NotDone("left out: no small disk on this machine") }
        record.diskIsFull()
        defer { record.diskHasRoom() }
        try disk.fill()
        tell(fault.description)
        await pass(length)
        try disk.makeRoom()
      }
      record.note(fault.kind)
    } catch let reason as NotDone {
      record.noteLeftOut(fault.kind)
      tell("\(fault): \(reason.text)")
    } catch {
      record.noteLeftOut(fault.kind)
      tell("\(fault): not done: \(error)")
    }
  }

  /// What a fault needs is not there just now.
  private struct NotDone: Error {
    var text: String
    init(_ text: String) { self.text = text }
  }

  private struct Harmed {
    var plan: ServicePlan
    var process: ChildProcess

    func name(_ fault: Fault) -> String {
      "\(fault)".replacing(plan.service, with: "\(plan.processName) (process \(process.processID))")
    }
  }

  private func signal(_ signal: Int32, _ choice: ProcessChoice, _ harm: FaultRecord.Harm) async throws -> Harmed {
    guard let plan = choice.plan(among: fleet.plans), let process = await fleet.supervisor.send(signal, to: plan) else {
      throw NotDone("it does not run just now")
    }
    record.note(harm, to: process.processID)
    return Harmed(plan: plan, process: process)
  }

  /// Waits; a cancellation ends the wait, so that what follows it is done in any case.
  private func pass(_ length: Duration) async {
    try? await Task.sleep(for: length)
  }
}

/// What was done to the stack, and which ends of processes follow from it. Any thread.
final class FaultRecord: Sendable {
  enum Harm: Sendable, Hashable {
    case killed, asked, paused
  }

  struct Contents: Sendable {
    var done: [FaultKind: Int] = [:]
    var leftOut: [FaultKind: Int] = [:]
    var harms: [Int32: Set<Harm>] = [:]
    /// Each with whether the disk was full at any moment of that process's life.
    var ends: [(end: ProcessEnd, sawFullDisk: Bool)] = []
    fileprivate var isDiskFull = false
    fileprivate var diskHadRoomAgainAt: ContinuousClock.Instant?
  }

  private let contents = Mutex(Contents())

  var now: Contents { contents.withLock { $0 } }

  func note(_ kind: FaultKind) { contents.withLock { $0.done[kind, default: 0] += 1 } }
  func noteLeftOut(_ kind: FaultKind) { contents.withLock { $0.leftOut[kind, default: 0] += 1 } }

  func note(_ harm: Harm, to process: Int32) {
    contents.withLock { _ = $0.harms[process, default: []].insert(harm) }
  }

  func note(_ end: ProcessEnd) {
    contents.withLock { contents in
      let sawFullDisk = contents.isDiskFull || contents.diskHadRoomAgainAt.map { $0 > end.startedAt } ?? false
      contents.ends.append((end, sawFullDisk))
    }
  }

  func diskIsFull() { contents.withLock { $0.isDiskFull = true } }
  func diskHasRoom() {
    contents.withLock { contents in
      contents.isDiskFull = false
      contents.diskHadRoomAgainAt = .now
    }
  }
}

/// Services end when they are told to, and in no other way.
enum NobodyDiedByItself {
  static func check(_ record: FaultRecord.Contents, number: Int) -> Finding {
    var offenders = Offenders()
    var startsRefused = 0
    for (end, sawFullDisk) in record.ends {
      let harms = record.harms[end.process] ?? []
      let isExplained =
        switch end.exit {
        case .killed(signal: SIGKILL): harms.contains(.killed)
        case .exited(0): harms.contains(.asked)
        // Asked to stop, and stopped meanwhile: the ten seconds it has may pass without it.
        case .exited: harms.isSuperset(of: [.asked, .paused])
        case .killed: false
        }
      if isExplained { continue }
      // A service that starts on a full disk cannot open its store, and says so.
      if sawFullDisk, case .exited(1) = end.exit {
        startsRefused += 1
        continue
      }
      let last = end.lastLines.last.map { ": \($0)" } ?? ""
      offenders.add("\(end.plan.processName) (process \(end.process)) ended by itself, \(end.exit)\(last)")
    }
    let refused = startsRefused > 0 ? ", \(startsRefused.grouped) of them starts on a full disk" : ""
    return Finding(
      number: number, title: "No process ended but by a fault",
      figure: "\(record.ends.count.grouped) ends\(refused), each followed by a start", offenders: offenders)
  }
}

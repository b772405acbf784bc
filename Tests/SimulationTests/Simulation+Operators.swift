import Messaging
import MessagingSQLite
import TestSupport

/// A redrive between two of its attempts.
struct Redrive {
  let process: SimulatedProcess
  let id: Int64
  let attempt: Int
  let begunAt: Int
}

/// What people do about dead letters, gaps and what was published.
extension Simulation {
  func operatorActs() throws {
    guard let service = services.randomElement(using: &random),
      let process = service.processes.filter(\.isAlive).randomElement(using: &random)
    else { return }
    do {
      switch Int.random(in: 0..<8, using: &random) {
      case 0, 1: try beginRedrive(at: service, by: process)
      case 2, 3: try goOnWithRedrive()
      case 4: try discard(at: service, by: process)
      case 5: try discardGap(at: service, by: process)
      default: try replay(by: process)
      }
    } catch let error as StoreUnavailable {
      note("\(process.name) cannot do it now: \(error)")
    }
  }

  private var operatorOnDuty: Requester { Requester(name: "somebody", reason: "seed \(seed)") }

  // MARK: Redrive

  private func beginRedrive(at service: any SimulatedServiceRole, by process: SimulatedProcess) throws {
    guard let letter = try service.deadLetters().randomElement(using: &random) else { return }
    try redrive(Redrive(process: process, id: letter.id, attempt: 1, begunAt: -1))
  }

  private func goOnWithRedrive() throws {
    guard let index = redrives.indices.randomElement(using: &random) else { return }
    let next = redrives.remove(at: index)
    guard next.process.isAlive else { return }
    try redrive(next)
  }

  private func redrive(_ redrive: Redrive) throws {
    let (process, id) = (redrive.process, redrive.id)
    let step = try process.messaging.worker.redriveStep(
      id, attempt: redrive.attempt, begunAt: redrive.begunAt < 0 ? nil : redrive.begunAt, by: operatorOnDuty)
    note("\(process.name) redrives dead letter \(id), attempt \(redrive.attempt): \(step)")
    switch step {
    case .again(let begunAt):
      redrives.append(Redrive(process: process, id: id, attempt: redrive.attempt + 1, begunAt: begunAt))
    case .finished(.resolved): dealtWith[process.group, default: 0] += 1
    case .finished: break
    }
  }

  /// Everything that can be handled now is; nothing stays a dead letter but what cannot be read or is of nobody.
  func redriveEverything() throws {
    for service in services {
      guard let process = service.processes.first else { continue }
      for letter in try service.deadLetters() where letter.status == "open" && !letter.isHopeless {
        let step = try process.messaging.worker.redriveStep(letter.id, by: operatorOnDuty)
        note("\(process.name) redrives dead letter \(letter.id) at last: \(step)")
        guard step == .finished(.resolved) else {
          violation("\(service.name): dead letter \(letter.id) of \(letter.eventID) is not resolved: \(step)")
          continue
        }
        dealtWith[process.group, default: 0] += 1
      }
    }
  }

  // MARK: Discard and replay

  private func discard(at service: any SimulatedServiceRole, by process: SimulatedProcess) throws {
    guard let letter = try service.deadLetters().randomElement(using: &random) else { return }
    let outcome = try process.messaging.worker.discardStep(letter.id, by: operatorOnDuty)
    note("\(process.name) discards dead letter \(letter.id): \(outcome.map { "\($0)" } ?? "there is none")")
    guard outcome == .discarded else { return }
    dealtWith[process.group, default: 0] += 1
    if let key = letter.key { givenUp.insert(key) }
  }

  /// Of orders from elsewhere only: what is missing of ours will come.
  private func discardGap(at service: any SimulatedServiceRole, by process: SimulatedProcess) throws {
    let keys = try service.rows("SELECT DISTINCT event_key FROM parked_events ORDER BY 1") { $0[0] as String }
      .filter { $0.hasPrefix(Self.foreignPrefix) }
    guard let key = keys.randomElement(using: &random) else { return }
    let outcome = try process.messaging.worker.discardGapStep(ofKey: key, by: operatorOnDuty)
    note("\(process.name) gives up what \(key) waits for: \(outcome.map { "\($0)" } ?? "nothing")")
    if case .discarded = outcome { dealtWith[process.group, default: 0] += 1 }
  }

  private func replay(by process: SimulatedProcess) throws {
    let key = Bool.random(using: &random) ? book.entries.randomElement(using: &random)?.id.rawValue : nil
    let selection = ReplaySelection(key: key)
    let limit = Int.random(in: 1...20, using: &random)
    let outbox = process.messaging.outbox
    let step = try blocking { try await outbox.replay(selection, limit: limit, isDryRun: false) }
    note("\(process.name) publishes \(step.rows) rows again")
  }
}

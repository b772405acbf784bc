import EventSchema
import Messaging
import MessagingSQLite
import ServiceDefaults

/// An instance of a service: its relay and its worker, a round at a time. When it dies, what it had in memory is gone;
/// what its store has committed is there.
///
/// Threads: the simulation's one.
final class SimulatedProcess: @unchecked Sendable {
  // @unchecked: the failpoints' handler, which has hold of it, is Sendable by its type and called on that one thread.

  enum Part: String, CaseIterable {
    case relay, worker
  }

  /// `order-service#3`: the third instance of the run.
  let name: String
  let group: String
  let messaging: MessagingRuntime
  private(set) var isAlive = true
  private var busy: Set<Part> = []
  private let relay: OutboxRelayLoop<SQLiteOutbox>
  private let worker: ConsumerWorkerLoop<SQLiteInbox, Event>

  init(name: String, group: String, messaging: MessagingRuntime) {
    self.name = name
    self.group = group
    self.messaging = messaging
    relay = messaging.relay.makeLoop(marks: .untilTheNextTurn)
    worker = messaging.worker.makeLoop()
  }

  /// As its group knows it; nil where it has not joined.
  var memberID: String? { messaging.worker.status().consumer?.memberID }

  /// Whether it is in the middle of nothing.
  var isIdle: Bool { busy.isEmpty }

  /// Whether `part` may begin a round: it is not in the middle of one.
  func isFree(_ part: Part) -> Bool { isAlive && !busy.contains(part) }

  /// One round, without waiting.
  func turn(_ part: Part) throws {
    busy.insert(part)
    defer { busy.remove(part) }
    switch part {
    case .relay: relay.turn(waitingAtMost: .zero)
    case .worker: try worker.turn(waitingAtMost: .zero)
    }
  }

  /// Nothing of it happens from here on: a round that it is in the middle of ends at its next step.
  func die() { isAlive = false }

  /// Takes it out of its group's sight without a word; the group has to notice.
  func vanish() { worker.abandon() }

  /// Leaves its group as at a graceful stop.
  func leave() {
    worker.close()
    isAlive = false
  }
}

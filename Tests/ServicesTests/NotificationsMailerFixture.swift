import EventSchema
import Logging
import Messaging
import MessagingSQLite
import Synchronization
import WireFormat

@testable import Notifications

/// The mailer's parts over SQLite in memory and a mail server that does as it is told, with a clock that stands still.
struct MailerFixture: Sendable {
  let database: SQLiteDatabase
  let clock = ManualClock()
  let server = ScriptedMailServer()
  let queue: MailQueue
  private let events: OrderEvents

  init() throws {
    database = try SQLiteDatabase.inMemory(migrations: MessagingMigrations.all + MailMigrations.all)
    queue = MailQueue(database: database)
    events = OrderEvents(
      notifyCustomer: NotifyCustomer(
        mails: MailStore(), way: .mailer, news: MailNews(), identifiers: UUIDv7Generator(), now: clock.clocks.wall))
  }

  func write(_ written: Event...) async throws {
    try await database.write { [events] transaction in
      for event in written { try events.handle(event, delivery(of: event), transaction) }
    }
  }

  /// A lane of a mailer that runs nowhere by itself.
  func lane(
    _ number: Int = 0, seed: UInt64 = 1, _ configuration: MailerConfiguration = MailerConfiguration()
  ) -> DrivenLane {
    let bell = MailerBell(clocks: clock.clocks)
    return DrivenLane(
      bell: bell,
      lane: MailerLane(
        claimant: MailClaimant(lane: number, process: .current), queue: queue, transport: server, bell: bell,
        clocks: clock.clocks, configuration: configuration, random: SeededRandom(seed: seed),
        report: MailerReport(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })))
  }

  /// `order kind: status attempts`, oldest first.
  func states() async throws -> [String] {
    try await mails().map {
      "\($0.orderID) \($0.kind.rawValue): \($0.delivery.status.rawValue) \($0.delivery.attempts)"
    }
  }

  func mails() async throws -> [Mail] {
    try await database.read { try MailStore().page(of: MailFilter(), before: nil, limit: 1000, in: $0).mails }
      .reversed()
  }

  /// Runs what blocks on a thread of its own.
  func onThread<Result: Sendable>(_ body: @escaping @Sendable (MailQueue) throws -> Result) async throws -> Result {
    try await DedicatedThread.run(named: "test") { [queue] in try body(queue) }
  }
}

/// A lane that goes on when it is told to, on a thread of its own.
final class DrivenLane: @unchecked Sendable {
  // @unchecked: a test drives it from one task, step by step.
  let bell: MailerBell
  private let lane: MailerLane

  init(bell: MailerBell, lane: MailerLane) {
    self.bell = bell
    self.lane = lane
  }

  /// Does all that can be done now. Returns how long it would wait then; nil where it has come to its end.
  @discardableResult
  func go() async throws -> Duration? {
    bell.ring()
    return try await DedicatedThread.run(named: "lane") { try self.lane.runUntilItWaits() }
  }
}

/// A mail server that answers as a test wants, and remembers what it took.
final class ScriptedMailServer: MailTransport, Sendable {
  private struct State {
    var answers: [String: [MailOutcome]] = [:]
    var isAway = false
    var taken: [String] = []
    var tried: [String] = []
    var during: (@Sendable (Mail) -> Void)?
  }

  private let state = Mutex(State())

  /// `order kind` of each mail that it took, in order.
  var taken: [String] { state.withLock { $0.taken } }
  /// The same of each that was tried.
  var tried: [String] { state.withLock { $0.tried } }

  /// Answers the next attempts at a mail; later ones are taken.
  func answer(_ mail: String, _ outcomes: MailOutcome...) { state.withLock { $0.answers[mail] = outcomes } }

  func setAway(_ isAway: Bool) { state.withLock { $0.isAway = isAway } }

  /// Has `action` called while a mail is being handed over.
  func during(_ action: @escaping @Sendable (Mail) -> Void) { state.withLock { $0.during = action } }

  func deliver(_ mail: Mail) -> MailOutcome {
    let name = "\(mail.orderID) \(mail.kind.rawValue)"
    state.withLock { $0.during }?(mail)
    return state.withLock { state in
      state.tried.append(name)
      if state.isAway { return .serverAway("connection refused") }
      if var answers = state.answers[name], !answers.isEmpty {
        let answer = answers.removeFirst()
        state.answers[name] = answers
        if answer != .taken { return answer }
      }
      state.taken.append(name)
      return .taken
    }
  }
}

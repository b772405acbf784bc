import FaultInjection
import Messaging
import WireFormat

/// Carries out what a ``MailerMachine`` decides, on the thread that calls it.
final class MailerLane {
  private let claimant: MailClaimant
  private let queue: MailQueue
  private let transport: any MailTransport
  private let bell: MailerBell
  private let clocks: Clocks
  private let batch: Int
  private let report: MailerReport
  private var machine: MailerMachine
  private var nextCount: Duration = .zero

  init(
    claimant: MailClaimant, queue: MailQueue, transport: any MailTransport, bell: MailerBell, clocks: Clocks,
    configuration: MailerConfiguration, random: SeededRandom = SeededRandom(), report: MailerReport
  ) {
    self.claimant = claimant
    self.queue = queue
    self.transport = transport
    self.bell = bell
    self.clocks = clocks
    self.batch = configuration.batch
    self.report = report
    machine = MailerMachine(configuration, random: random)
  }

  /// Until the bell says stop.
  func run() throws {
    var input: MailerInput? = .turn(mailsWritten: bell.takeRing())
    while let last = input {
      let action = machine.next(after: last, at: now, isStopping: bell.isStopping)
      tell()
      input = try carryOut(action)
    }
    transport.close()
  }

  /// Does everything that can be done without waiting; returns how long there is to wait, nil at the end. For tests.
  func runUntilItWaits() throws -> Duration? {
    var input: MailerInput? = .turn(mailsWritten: bell.takeRing())
    while let last = input {
      let action = machine.next(after: last, at: now, isStopping: bell.isStopping)
      tell()
      if case .wait(let pause) = action { return pause }
      input = try carryOut(action)
    }
    return nil
  }

  private var now: MailerTime { MailerTime(elapsed: clocks.elapsed(), wall: clocks.wall()) }

  /// - Returns: what came of it; nil at the end.
  private func carryOut(_ action: MailerAction) throws -> MailerInput? {
    switch action {
    case .takeBack: .tookBack(try ask { try queue.takeBack(at: clocks.wall()) })
    case .claim(let limit, let end): .claimed(try claim(limit, until: end))
    case .deliver(let mail): .delivered(deliver(mail.mail))
    case .settle(let settlements): .settled(try settle(settlements))
    case .wait(let pause): wait(pause)
    case .finish: nil
    }
  }

  private func claim(_ limit: Int, until end: Timestamp) throws -> Result<MailClaim, StoreUnavailable> {
    let claim = try ask { try queue.claim(for: claimant, limit: limit, at: clocks.wall(), until: end) }
    if case .success(let claim) = claim, !claim.mails.isEmpty {
      Failpoint.mailClaimed.pass(claim.mails[0].mail.orderID.rawValue)
      // There is more than one lane can do: another one comes.
      if claim.mails.count == batch { bell.ring() }
    }
    return claim
  }

  private func deliver(_ mail: Mail) -> MailOutcome {
    let start = clocks.elapsed()
    let outcome = transport.deliver(mail)
    report.delivered(in: clocks.elapsed() - start)
    if outcome == .taken { Failpoint.mailSending.pass(mail.orderID.rawValue) }
    return outcome
  }

  private func settle(_ settlements: [MailSettlement]) throws -> Result<Int, StoreUnavailable> {
    let result = try ask { try queue.settle(settlements, by: claimant, at: clocks.wall()) }
    if case .success = result { Failpoint.mailSent.pass(settlements[0].mail.mail.orderID.rawValue) }
    return result
  }

  private func wait(_ pause: Duration) -> MailerInput {
    bell.wait(atMost: pause)
    return .turn(mailsWritten: bell.takeRing())
  }

  /// - Throws: what is not the store being away: a broken store stops the service, as no retry can mend it.
  private func ask<Value>(_ body: () throws -> Value) throws -> Result<Value, StoreUnavailable> {
    do {
      return .success(try body())
    } catch let error as StoreUnavailable {
      return .failure(error)
    }
  }

  private func tell() {
    for notice in machine.takeNotices() { report.tell(notice) }
    // One lane counts for all.
    guard claimant.lane == 0, clocks.elapsed() >= nextCount else { return }
    nextCount = clocks.elapsed() + .seconds(5)
    if let count = try? queue.pending() { report.pending(count) }
  }
}

import Messaging
import WireFormat

/// What a lane of the mailer was told, or what came of what it has done.
enum MailerInput: Sendable {
  /// It was started, was woken, or has waited long enough.
  case turn(mailsWritten: Bool)
  case claimed(Result<MailClaim, StoreUnavailable>)
  case delivered(MailOutcome)
  /// How many of the mails were still its own.
  case settled(Result<Int, StoreUnavailable>)
  case tookBack(Result<Int, StoreUnavailable>)
}

/// What a lane of the mailer does next.
enum MailerAction: Sendable, Hashable {
  case takeBack
  case claim(limit: Int, until: Timestamp)
  case deliver(ClaimedMail)
  case settle([MailSettlement])
  /// Until it is woken, at most for so long.
  case wait(Duration)
  case finish
}

/// Both clocks at one moment: due times are kept in the store, pauses are not.
struct MailerTime: Sendable, Hashable {
  var elapsed: Duration
  var wall: Timestamp
}

/// Decides what one lane of the mailer does: claims mails, delivers them one after another, and settles each before it
/// goes on, so that a crash repeats one mail at most.
///
/// A mail that is refused for now is tried again after a pause that grows, and holds up only its own order. When the
/// server itself is away, no mail is blamed: all go back, and one at a time is tried until one is taken.
struct MailerMachine: Sendable {
  private let configuration: MailerConfiguration
  private var random: SeededRandom
  private var claimed: ArraySlice<ClaimedMail> = []
  private var claimEnd = Timestamp(millisecondsSinceEpoch: 0)
  private var unsettled: [MailSettlement] = []
  private var server = Outage()
  private var store = Outage()
  private var nextClaim: Duration = .zero
  private var nextTakeBack: Duration = .zero
  /// What happened since somebody looked.
  private(set) var notices: [MailerNotice] = []

  init(_ configuration: MailerConfiguration, random: SeededRandom) {
    self.configuration = configuration
    self.random = random
  }

  /// Takes what came of the last action, and says what to do next.
  ///
  /// - Parameter isStopping: no mail is begun any more, and what is claimed goes back.
  mutating func next(after input: MailerInput, at time: MailerTime, isStopping: Bool = false) -> MailerAction {
    switch input {
    case .turn(let mailsWritten): if mailsWritten { nextClaim = min(nextClaim, time.elapsed) }
    case .claimed(let result): if let claim = value(of: result, at: time) { take(claim, at: time) }
    case .delivered(let outcome): settle(claimed.popFirst(), outcome, at: time)
    case .settled(let result): if let kept = value(of: result, at: time) { settled(kept) }
    case .tookBack(let result): if let count = value(of: result, at: time) { tookBack(count, at: time) }
    }
    return decide(at: time, isStopping: isStopping)
  }

  mutating func takeNotices() -> [MailerNotice] {
    defer { notices = [] }
    return notices
  }

  private mutating func decide(at time: MailerTime, isStopping: Bool) -> MailerAction {
    if !claimed.isEmpty, isStopping || time.wall + configuration.deliveryTimeout > claimEnd {
      giveBack(at: time)
    }
    if !unsettled.isEmpty {
      guard let pause = store.pause(at: time.elapsed) else { return .settle(unsettled) }
      // Unsettled mails stay as they are: whoever comes next finds that this process is gone.
      return isStopping ? .finish : .wait(pause)
    }
    if isStopping { return .finish }
    if let mail = claimed.first { return .deliver(mail) }
    if let pause = store.pause(at: time.elapsed) ?? server.pause(at: time.elapsed) { return .wait(pause) }
    if nextTakeBack <= time.elapsed { return .takeBack }
    if nextClaim <= time.elapsed {
      return .claim(limit: server.isOn ? 1 : configuration.batch, until: time.wall + configuration.claim)
    }
    return .wait(min(nextClaim, nextTakeBack) - time.elapsed)
  }

  private mutating func take(_ claim: MailClaim, at time: MailerTime) {
    claimed = claim.mails[...]
    claimEnd = time.wall + configuration.claim
    let untilDue = claim.nextDue.map { $0 - time.wall } ?? configuration.poll
    nextClaim = time.elapsed + (claim.mails.isEmpty ? min(max(untilDue, .milliseconds(1)), configuration.poll) : .zero)
  }

  private mutating func tookBack(_ count: Int, at time: MailerTime) {
    nextTakeBack = time.elapsed + configuration.poll
    guard count > 0 else { return }
    nextClaim = time.elapsed
    notices.append(.tookBack(count))
  }

  private mutating func settled(_ kept: Int) {
    if kept < unsettled.count { notices.append(.claimLost(unsettled.count - kept)) }
    unsettled = []
  }

  private mutating func settle(_ mail: ClaimedMail?, _ outcome: MailOutcome, at time: MailerTime) {
    guard let mail else { return }
    if outcome.isAnAnswer, server.end() { notices.append(.serverBack) }
    switch outcome {
    case .taken:
      unsettled.append(MailSettlement(mail: mail, result: .sent(at: time.wall)))
      notices.append(.sent(mail.mail))
    case .refusedForNow(let error):
      refuse(mail, error, at: time)
    case .refusedForGood(let error):
      fail(mail, error)
    case .serverAway(let error):
      unsettled.append(MailSettlement(mail: mail, result: .givenBack(at: time.wall)))
      giveBack(at: time)
      if server.begin(configuration.outageRetry, at: time.elapsed, using: &random) {
        notices.append(.serverAway(error))
      }
    case .interrupted:
      unsettled.append(MailSettlement(mail: mail, result: .again(at: time.wall, error: "broken off by a shutdown")))
    }
  }

  private mutating func refuse(_ mail: ClaimedMail, _ error: String, at time: MailerTime) {
    guard time.wall - mail.mail.createdAt < configuration.patience else { return fail(mail, "given up: \(error)") }
    let pause = configuration.mailRetry.backoff(afterAttempt: mail.mail.delivery.attempts, using: &random)
    unsettled.append(MailSettlement(mail: mail, result: .again(at: time.wall + pause, error: error)))
    nextClaim = min(nextClaim, time.elapsed + pause)
    notices.append(.refused(mail.mail, error: error))
  }

  private mutating func fail(_ mail: ClaimedMail, _ error: String) {
    unsettled.append(MailSettlement(mail: mail, result: .failed(error: error)))
    notices.append(.failed(mail.mail, error: error))
  }

  private mutating func giveBack(at time: MailerTime) {
    unsettled += claimed.map { MailSettlement(mail: $0, result: .givenBack(at: time.wall)) }
    claimed = []
  }

  private mutating func value<Value>(of result: Result<Value, StoreUnavailable>, at time: MailerTime) -> Value? {
    switch result {
    case .success(let value):
      if store.end() { notices.append(.storeBack) }
      return value
    case .failure(let error):
      if store.begin(configuration.outageRetry, at: time.elapsed, using: &random) {
        notices.append(.storeAway(error.reason))
      }
      return nil
    }
  }
}

/// Something is away, and is asked again after pauses that grow.
private struct Outage: Sendable {
  private var failures = 0
  private var askAgainAt: Duration = .zero

  var isOn: Bool { failures > 0 }

  /// How long to leave it alone; nil where it may be asked.
  func pause(at now: Duration) -> Duration? {
    isOn && askAgainAt > now ? askAgainAt - now : nil
  }

  /// - Returns: whether it has only now begun.
  mutating func begin(_ policy: RetryPolicy, at now: Duration, using random: inout SeededRandom) -> Bool {
    failures += 1
    askAgainAt = now + policy.backoff(afterAttempt: failures, using: &random)
    return failures == 1
  }

  /// - Returns: whether there was an outage.
  mutating func end() -> Bool {
    defer { failures = 0 }
    return isOn
  }
}

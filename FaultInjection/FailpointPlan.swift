import Foundation
import Synchronization

/// What the environment wants to happen at failpoints.
///
/// `FAILPOINTS` holds rules with `;` between: `process:name[subject]=action@when`.
/// - `process:` may be left out; with it only a process of that executable counts.
/// - `[subject]` may be left out; with it only that event, key or row counts.
/// - Actions: `crash` (SIGKILL to itself: nothing is flushed, no handler runs), `delay(milliseconds)`, `fail`.
/// - `@3` is the third time, `@3+` the third and every later, `@10%` each time by chance (`FAILPOINTS_SEED`); without it
///   every time.
///
/// With `FAILPOINTS_FIRED_DIR` each rule leaves a file there when it acts, named as its failpoint, the process included
/// where the rule names one; and a rule with `@3` acts once over all processes and restarts that share the folder.
struct FailpointPlan: Sendable {
  struct Malformed: Error, CustomStringConvertible {
    let description: String
  }

  private let rules: [Rule]
  private let firedFolder: String?
  private let state: SharedState

  /// - Returns: nil where the environment plans nothing. A plan that cannot be read ends the process: a test that
  ///   believes to have armed a failpoint must not pass.
  init?(environment: [String: String]) {
    guard let text = environment["FAILPOINTS"], !text.isEmpty else { return nil }
    do {
      self.init(
        rules: try Self.parse(text), firedFolder: environment["FAILPOINTS_FIRED_DIR"],
        seed: environment["FAILPOINTS_SEED"].flatMap(UInt64.init) ?? 0)
    } catch {
      FileHandle.standardError.write(Data("FAILPOINTS: \(error)\n".utf8))
      exit(64)
    }
  }

  init(
    rules: [Rule], firedFolder: String? = nil, seed: UInt64 = 0,
    process: String = ProcessInfo.processInfo.processName
  ) {
    let rules = rules.filter { $0.process == nil || $0.process == process }
    self.rules = rules
    self.firedFolder = firedFolder
    state = SharedState(hits: Array(repeating: 0, count: rules.count), seed: seed)
  }

  func reach(_ failpoint: Failpoint, _ subject: String) throws {
    for (index, rule) in rules.enumerated() where rule.matches(failpoint, subject) {
      guard state.isDue(rule.moment, at: index), leaveTrace(of: rule) else { continue }
      try rule.action.carryOut(at: failpoint)
    }
  }

  /// - Returns: whether the rule may act: false where it has, in a process before.
  private func leaveTrace(of rule: Rule) -> Bool {
    guard let firedFolder else { return true }
    let file = open("\(firedFolder)/\(rule.name)", O_CREAT | O_EXCL | O_WRONLY, 0o644)
    guard file >= 0 else { return !rule.isOnce }
    close(file)
    return true
  }
}

/// One rule of a plan.
struct Rule: Sendable, Hashable {
  /// The executable whose processes it is for; nil for all.
  var process: String?
  var failpoint: Failpoint
  var subject: String?
  var action: Action
  var moment: Moment

  enum Action: Sendable, Hashable {
    case crash, fail
    case delay(milliseconds: UInt32)

    func carryOut(at failpoint: Failpoint) throws {
      switch self {
      case .crash:
        kill(getpid(), SIGKILL)
        while true { pause() }
      case .fail: throw InjectedFailure(failpoint: failpoint)
      case .delay(let milliseconds): usleep(milliseconds * 1000)
      }
    }
  }

  enum Moment: Sendable, Hashable {
    case always
    case only(Int)
    case from(Int)
    case chance(percent: Int)
  }

  var name: String { process.map { "\($0):\(failpoint)" } ?? failpoint.rawValue }

  var isOnce: Bool {
    if case .only = moment { true } else { false }
  }

  func matches(_ failpoint: Failpoint, _ subject: String) -> Bool {
    self.failpoint == failpoint && (self.subject == nil || self.subject == subject)
  }
}

private final class SharedState: Sendable {
  private struct State {
    var hits: [Int]
    var random: UInt64
  }

  private let state: Mutex<State>

  init(hits: [Int], seed: UInt64) {
    state = Mutex(State(hits: hits, random: seed &+ 0x9E37_79B9_7F4A_7C15))
  }

  func isDue(_ moment: Rule.Moment, at index: Int) -> Bool {
    state.withLock { state in
      state.hits[index] += 1
      switch moment {
      case .always: return true
      case .only(let number): return state.hits[index] == number
      case .from(let number): return state.hits[index] >= number
      case .chance(let percent): return state.random.nextPercent() < percent
      }
    }
  }
}

extension UInt64 {
  /// xorshift64: the same seed makes the same run.
  fileprivate mutating func nextPercent() -> Int {
    self ^= self << 13
    self ^= self >> 7
    self ^= self << 17
    return Int(self % 100)
  }
}

extension FailpointPlan {
  static func parse(_ text: String) throws -> [Rule] {
    try text.split(separator: ";").map { part in
      let part = part.trimmingCharacters(in: .whitespaces)
      guard let rule = rule(part) else {
        throw Malformed(description: "'\(part)' is not process:name[subject]=action@when")
      }
      return rule
    }
  }

  private static func rule(_ text: String) -> Rule? {
    guard
      let match = text.wholeMatch(
        of: #/(?:([A-Za-z]+):)?([a-z0-9.-]+)(?:\[([^\]]*)\])?=([a-z]+)(?:\(([0-9]+)\))?(?:@([0-9]+)([+%])?)?/#)
    else { return nil }
    let action: Rule.Action
    switch (match.4, match.5.flatMap { UInt32($0) }) {
    case ("crash", nil): action = .crash
    case ("fail", nil): action = .fail
    case ("delay", let milliseconds?): action = .delay(milliseconds: min(milliseconds, 60_000))
    default: return nil
    }
    var moment = Rule.Moment.always
    if let digits = match.6 {
      guard let number = Int(digits) else { return nil }
      switch match.7 {
      case "+": moment = .from(number)
      case "%": moment = .chance(percent: number)
      default: moment = .only(number)
      }
    }
    return Rule(
      process: match.1.map(String.init), failpoint: Failpoint(String(match.2)), subject: match.3.map(String.init),
      action: action, moment: moment)
  }
}

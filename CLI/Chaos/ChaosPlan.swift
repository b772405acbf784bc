import EventSchema
import Messaging
import WireFormat

/// What goes wrong, and when. Follows from seed, length and kinds of faults alone.
struct ChaosPlan: Sendable, Hashable {
  struct Step: Sendable, Hashable {
    /// Since the start of the load.
    var time: Duration
    var fault: Fault
  }

  /// Of each topic.
  static let partitions = 6
  /// Before the first fault, so that there is something to break.
  static let calmStart = Duration.seconds(2)

  let seed: UInt64
  let length: Duration
  /// In the order of their times. Every fault is over at ``length``.
  let steps: [Step]

  /// Each kind comes once before kinds come at random, as far as the length allows.
  init(seed: UInt64, length: Duration, kinds: Set<FaultKind>) {
    self.seed = seed
    self.length = length
    let kinds = FaultKind.allCases.filter(kinds.contains)
    var random = SeededRandom(seed: seed)
    var first = kinds.shuffled(using: &random)
    let weighted = kinds.flatMap { Array(repeating: $0, count: $0.weight) }
    var steps: [Step] = []
    var busyUntil: [String: Duration] = [:]
    var time = Self.calmStart
    while let kind = first.popLast() ?? weighted.randomElement(using: &random) {
      let left = length - time
      guard left > .milliseconds(500) else { break }
      let fault = Fault(kind, within: left, using: &random)
      if let resource = fault.resource {
        if busyUntil[resource].map({ $0 <= time }) ?? true {
          busyUntil[resource] = time + fault.length
          steps.append(Step(time: time, fault: fault))
        }
      } else {
        steps.append(Step(time: time, fault: fault))
      }
      time += .milliseconds(Int.random(in: 200...2_200, using: &random))
    }
    self.steps = steps
  }

  func lines() -> [String] {
    steps.map { "\($0.time.stamp)  \($0.fault.kind.column)  \($0.fault)" }
  }
}

extension ChaosPlan: JSONEncodable {
  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("seed", String(seed))
      json.member("seconds", Rounded(length.seconds))
      json.member(
        "faults",
        array: { json in
          for step in steps {
            json.object { json in
              json.member("at", Rounded(step.time.seconds))
              json.member("kind", step.fault.kind.rawValue)
              json.member("fault", step.fault.description)
            }
          }
        })
    }
  }
}

extension Fault {
  /// A fault of `kind` that is over within `left`.
  init(_ kind: FaultKind, within left: Duration, using random: inout SeededRandom) {
    func length(_ range: ClosedRange<Int>) -> Duration {
      min(left, .milliseconds(Int.random(in: range, using: &random)))
    }
    func process() -> ProcessChoice {
      ProcessChoice(
        service: ServiceName.all[Int.random(in: 0..<ServiceName.all.count, using: &random)],
        draw: Int.random(in: 0..<60, using: &random))
    }
    func topic() -> String { Topics.events[Int.random(in: 0..<Topics.events.count, using: &random)] }
    switch kind {
    case .kill: self = .kill(process())
    case .restart: self = .restart(process())
    case .pause:
      // The session timeout is 6 s: most pauses are longer, so that a group has given the member up when it wakes.
      let isShort = Int.random(in: 0..<3, using: &random) == 0
      self = .pause(process(), length(isShort ? 200...3_000 : 6_500...9_500))
    case .broker: self = .brokerDown(length(300...6_000))
    case .errors:
      let request = RequestErrors.Request.allCases.randomElement(using: &random) ?? .produce
      let answer = RequestErrors.answers(to: request).randomElement(using: &random) ?? .disconnect
      self = .requestErrors(
        RequestErrors(request: request, answer: answer, count: Int.random(in: 1...6, using: &random)))
    case .delay:
      self = .slowBroker(
        roundTrip: .milliseconds(Int.random(in: 20...800, using: &random)), length(1_000...5_000))
    case .leader:
      self = .noLeader(
        topic: topic(), partition: Int32.random(in: 0..<Int32(ChaosPlan.partitions), using: &random),
        length(500...5_000))
    case .copies: self = .copies(Int.random(in: 1...200, using: &random), seed: random.next())
    case .garbage:
      self = .garbage(Garbage.allCases.randomElement(using: &random) ?? .nullValue, topic: topic(), seed: random.next())
    case .disk: self = .fullDisk(length(1_500...5_000))
    }
  }
}

extension FaultKind {
  /// As wide as the longest name.
  var column: String {
    let width = Self.allCases.reduce(0) { max($0, $1.rawValue.count) }
    return rawValue.padding(toLength: width, withPad: " ", startingAt: 0)
  }
}

extension Duration {
  /// Seconds with a tenth, as a column: `   7.3 s`.
  var stamp: String {
    let text = "\(milliseconds / 1000).\(milliseconds % 1000 / 100) s"
    return String(repeating: " ", count: max(0, 8 - text.count)) + text
  }
}

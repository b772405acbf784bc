import WireFormat

/// What has come of a run over dead letters and gaps so far.
struct DeadLetterTally: Sendable, JSONEncodable {
  struct Entry: Sendable, JSONEncodable {
    var name: DeadLetterName
    var outcome: DeadLetterQueue.Outcome
    var error: String?

    func write(to json: inout JSONWriter) {
      json.object { json in
        json.member("id", name.description)
        json.member("outcome", outcome.rawValue)
        if let error { json.member("error", error) }
      }
    }
  }

  private(set) var entries: [Entry] = []
  private(set) var gaps: [(group: String, key: String, versions: String)] = []

  mutating func add(_ name: DeadLetterName, _ outcome: DeadLetterQueue.Outcome, error: String? = nil) {
    entries.append(Entry(name: name, outcome: outcome, error: error))
  }

  mutating func addGap(of group: String, key: String, versions: String) {
    gaps.append((group, key, versions))
  }

  func count(_ outcome: DeadLetterQueue.Outcome) -> Int { entries.count { $0.outcome == outcome } }

  /// `12 resolved, 1 failed again`
  var summary: String {
    let words: [(DeadLetterQueue.Outcome, String)] = [
      (.resolved, "resolved"), (.failedAgain, "failed again"), (.discarded, "discarded"),
      (.alreadyResolved, "resolved before"), (.alreadyDiscarded, "discarded before"), (.gone, "not there any more"),
    ]
    var parts = words.compactMap { outcome, word in
      let count = count(outcome)
      return count > 0 ? "\(count.grouped) \(word)" : nil
    }
    if !gaps.isEmpty { parts.append("\(gaps.count.grouped) \(gaps.count == 1 ? "gap" : "gaps") given up") }
    return parts.isEmpty ? "nothing done" : parts.joined(separator: ", ")
  }

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("dry_run", false)
      for outcome in DeadLetterQueue.Outcome.allCases { json.member(name: outcome.rawValue, count(outcome)) }
      json.member("dead_letters", entries)
      json.member(
        "gaps",
        array: { json in
          for gap in gaps {
            json.object { json in
              json.member("group", gap.group)
              json.member("order_id", gap.key)
              json.member("given_up", gap.versions)
            }
          }
        })
    }
  }
}

/// What a run over dead letters and gaps would be about.
struct DeadLetterPlan: Sendable, JSONEncodable {
  var letters: [ListedDeadLetter]
  var gaps: [ParkedOrder] = []

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("dry_run", true)
      json.member("dead_letters", letters)
      json.member("gaps", gaps)
    }
  }
}

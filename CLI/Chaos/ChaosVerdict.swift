import WireFormat

/// What a run of faults has shown.
struct ChaosVerdict: Sendable, JSONEncodable {
  var plan: ChaosPlan
  var instances: Int
  var ledger: ChaosLedger.Contents
  var faults: FaultRecord.Contents
  var duplicatesDropped: Int64
  var deadLetters: [ObservedDeadLetter.Cause: Int]
  /// How long it took from the end of the last fault until nothing was on its way any more; nil when it never was.
  var quietAfter: Duration?
  var unrest: String?
  /// Of `verify`, followed by those that only who caused the faults can check.
  var verdict: Verdict
  /// Where what is left lies; nil when it was removed.
  var keptAt: String?

  var holds: Bool { verdict.holds && unrest == nil }
  var faultCount: Int { faults.done.values.reduce(0, +) }
  var breaks: Int { verdict.findings.count { !$0.holds } + (unrest == nil ? 0 : 1) }

  func lines(palette: Palette) -> [String] {
    var table = Table(.text("WHAT"), .number("COUNT"), .text("DETAIL"))
    table.add("orders accepted", ledger.accepted.grouped, "\(ledger.granted.grouped) cancelled")
    table.add(
      "orders perhaps", ledger.perhaps.grouped,
      "\(ledger.unanswered.grouped) tries without an answer, sent again with the same key")
    table.add("orders refused", ledger.refused.grouped, list(ledger.refusals) { "\($0.grouped) answers \($1)" })
    table.add("faults", faultCount.grouped, list(faults.done) { "\($1.rawValue) \($0.grouped)" })
    if !faults.leftOut.isEmpty {
      let count = faults.leftOut.values.reduce(0, +)
      table.add("faults left out", count.grouped, list(faults.leftOut) { "\($1.rawValue) \($0.grouped)" })
    }
    table.add("processes restarted", faults.ends.count.grouped, "")
    table.add("duplicates dropped", duplicatesDropped.grouped, "at least; asked of the processes while they lived")
    table.add(
      "dead letters open", deadLetters.values.reduce(0, +).grouped,
      "\(deadLetters[.unreadable] ?? 0) unreadable, \(deadLetters[.unknownOrder] ?? 0) of unknown orders, "
        + "\(deadLetters[.failure] ?? 0) others")
    table.add(
      "quiet", quietAfter.map(\.brief) ?? "never", quietAfter == nil ? "" : "after the last fault was over")
    let report = VerdictReport(verdict: verdict, unrest: unrest, offendersShown: 10)
    let end =
      holds
      ? palette.paint("Nothing broke.", .green) : palette.paint("\(breaks) broke (seed \(plan.seed)).", .red)
    return [""] + table.lines(palette: palette) + [""] + report.lines(palette: palette)
      + (keptAt.map { ["Stores and logs are kept in \($0)"] } ?? []) + [end]
  }

  private func list<Key: Hashable>(_ counts: [Key: Int], _ text: (Int, Key) -> String) -> String {
    counts.sorted { ($1.value, "\($0.key)") < ($0.value, "\($1.key)") }.map { text($0.value, $0.key) }
      .joined(separator: ", ")
  }

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("holds", holds)
      json.member("seed", String(plan.seed))
      json.member("seconds", Rounded(plan.length.seconds))
      json.member("instances", instances)
      json.member(
        "orders",
        object: { json in
          json.member("accepted", ledger.accepted)
          json.member("perhaps", ledger.perhaps)
          json.member("refused", ledger.refused)
          json.member("cancelled", ledger.granted)
          json.member("unanswered_tries", ledger.unanswered)
        })
      json.member("faults", faultCount)
      json.member(
        "faults_by_kind",
        object: { json in
          for kind in FaultKind.allCases {
            if let count = faults.done[kind] { json.member(name: kind.rawValue, count) }
          }
        })
      json.member(
        "faults_left_out",
        object: { json in
          for kind in FaultKind.allCases {
            if let count = faults.leftOut[kind] { json.member(name: kind.rawValue, count) }
          }
        })
      json.member("restarts", faults.ends.count)
      json.member("duplicates_dropped", duplicatesDropped)
      json.member("dead_letters", deadLetters.values.reduce(0, +))
      json.member("quiet_after_seconds", quietAfter.map { Rounded($0.seconds) })
      json.member("unrest", unrest)
      json.member("breaks", breaks)
      json.member("kept_at", keptAt)
      json.member("verdict", verdict)
    }
  }
}

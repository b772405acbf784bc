import ArgumentParser
import WireFormat

/// Gives up for good what groups had given up.
struct DiscardDeadLetters: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "discard",
    abstract: "Gives dead letters up for good, with a reason; what is parked behind them follows.",
    discussion: """
      For example: orderflow dlq discard inventory-service/7 --reason "a test record of the shop"

      With --key a gap of that order is given up too: the versions that have never come. An event that was discarded \
      is never handled by that group, not even if it comes again. A run that was interrupted can be repeated.
      """)

  @OptionGroup var selection: DeadLetterSelection

  @Option(help: ArgumentHelp("Why; kept with the dead letter, and in the audit.", valueName: "text"))
  var reason: String

  @OptionGroup var rateOption: RateOption

  @Flag(help: "Lists what would be discarded, and does nothing.")
  var dryRun = false

  @Flag(help: "Prints JSON.")
  var json = false

  @OptionGroup var stackOptions: StackOptions

  func validate() throws {
    guard (1...500).contains(reason.unicodeScalars.count) else {
      throw ValidationError("--reason has to have 1 to 500 characters")
    }
  }

  func run() async throws {
    let queues = try await DeadLetterQueues.open(try stackOptions.stack(), group: selection.group)
    let letters = try await selection.letters(in: queues)
    if dryRun {
      let plan = DeadLetterPlan(letters: letters, gaps: try await gaps(in: queues))
      if json { Output.standard.line(bytes: plan.jsonBytes) } else { show(plan) }
      return try queues.report()
    }
    var tally = DeadLetterTally()
    let finished: Result<Void, any Error>
    do {
      try await discard(letters, &tally)
      finished = .success(try await giveUpGaps(in: queues, &tally))
    } catch {
      finished = .failure(error)
    }
    if json { Output.standard.line(bytes: tally.jsonBytes) } else { Output.standard.line(summary(tally, of: letters)) }
    try finished.get()
    try queues.report()
    guard tally.count(.alreadyResolved) == 0, tally.count(.gone) == 0 else { throw ExitCode.failure }
  }

  private func discard(_ letters: [ListedDeadLetter], _ tally: inout DeadLetterTally) async throws {
    let progress = Progress()
    defer { progress.clear() }
    var pace = Pace(rate: rateOption.rate)
    for (index, letter) in letters.enumerated() {
      progress.show("discarding", "\((index + 1).grouped) of \(letters.count.grouped)")
      try await pace.wait()
      let outcome = try await letter.queue.discard(letter.id, reason: reason)
      tally.add(letter.name, outcome)
      guard !json, outcome == .alreadyResolved || outcome == .gone else { continue }
      progress.clear()
      Output.standard.line("\(letter.name) \(outcome == .gone ? "is not there any more" : "was resolved before")")
    }
  }

  /// Only who names an order gives up its gaps: they have no dead letter that tells of them.
  private func gaps(in queues: DeadLetterQueues) async throws -> [ParkedOrder] {
    guard let key = selection.key, selection.error == nil else { return [] }
    return try await queues.parked(ofKey: key).filter(\.isGap)
  }

  /// Behind one gap there may be another, or a dead letter of an event that was parked until now.
  private func giveUpGaps(in queues: DeadLetterQueues, _ tally: inout DeadLetterTally) async throws {
    guard let key = selection.key, selection.error == nil else { return }
    for queue in queues.queues {
      while let gap = try await queue.parked(ofKey: key).first, gap.isGap {
        guard let versions = try await queue.discardGap(ofKey: key, reason: reason) else { break }
        tally.addGap(of: queue.group, key: key, versions: versions)
        if !json { Output.standard.line("\(queue.group): order \(key) goes on without \(versions)".printable) }
      }
    }
  }

  private func summary(_ tally: DeadLetterTally, of letters: [ListedDeadLetter]) -> String {
    guard !letters.isEmpty || !tally.gaps.isEmpty else { return "No open dead letter and no gap is meant by that." }
    let left = letters.count - tally.entries.count
    return "Discarded: \(tally.summary)" + (left > 0 ? "; \(left.grouped) not yet asked for" : "") + "."
  }

  private func show(_ plan: DeadLetterPlan) {
    DeadLetterTable(letters: plan.letters, parked: plan.gaps).write(to: .standard)
    let gaps = plan.gaps.isEmpty ? "" : " and \(plan.gaps.count.grouped) \(plan.gaps.count == 1 ? "gap" : "gaps")"
    Output.standard.line("\(plan.letters.count.grouped)\(gaps) would be discarded; nothing was done (--dry-run).")
  }
}

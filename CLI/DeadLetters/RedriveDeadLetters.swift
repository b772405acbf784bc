import ArgumentParser
import WireFormat

/// Has groups handle again what they had given up.
struct RedriveDeadLetters: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "redrive", abstract: "Handles dead letters again, inside the group that gave them up.",
    discussion: """
      For example: orderflow dlq redrive --error "injected failure" --rate 50

      A dead letter that is handled is resolved, and the events parked behind it follow; one that fails again stays \
      open, with its redrives counted up. It takes effect once however often it is asked for, so a run that was \
      interrupted can be repeated. Ends with 1 when something failed again.
      """)

  @OptionGroup var selection: DeadLetterSelection

  @Option(help: ArgumentHelp("Why, for the audit.", valueName: "text"))
  var reason: String?

  @OptionGroup var rateOption: RateOption

  @Flag(help: "Lists what would be redriven, and does nothing.")
  var dryRun = false

  @Flag(help: "Prints JSON.")
  var json = false

  @OptionGroup var stackOptions: StackOptions

  func validate() throws {
    guard reason.map({ (1...500).contains($0.unicodeScalars.count) }) ?? true else {
      throw ValidationError("--reason has to have 1 to 500 characters")
    }
  }

  func run() async throws {
    let queues = try await DeadLetterQueues.open(try stackOptions.stack(), group: selection.group)
    let letters = try await selection.letters(in: queues)
    if dryRun {
      let plan = DeadLetterPlan(letters: letters)
      if json { Output.standard.line(bytes: plan.jsonBytes) } else { show(plan) }
      return try queues.report()
    }
    var tally = DeadLetterTally()
    let finished: Result<Void, any Error>
    do {
      finished = .success(try await redrive(letters, &tally))
    } catch {
      finished = .failure(error)
    }
    if json { Output.standard.line(bytes: tally.jsonBytes) } else { Output.standard.line(summary(tally, of: letters)) }
    try finished.get()
    try queues.report()
    guard tally.count(.failedAgain) == 0, tally.count(.discarded) == 0, tally.count(.gone) == 0 else {
      throw ExitCode.failure
    }
  }

  private func redrive(_ letters: [ListedDeadLetter], _ tally: inout DeadLetterTally) async throws {
    let progress = Progress()
    defer { progress.clear() }
    var pace = Pace(rate: rateOption.rate)
    for (index, letter) in letters.enumerated() {
      progress.show("redriving", "\((index + 1).grouped) of \(letters.count.grouped), \(tally.summary)")
      try await pace.wait()
      let (outcome, error) = try await letter.queue.redrive(letter.id, reason: reason)
      tally.add(letter.name, outcome, error: error)
      guard !json, let fault = Self.fault(outcome, error) else { continue }
      progress.clear()
      Output.standard.line("\(letter.name) \(fault)".printable)
    }
  }

  private static func fault(_ outcome: DeadLetterQueue.Outcome, _ error: String?) -> String? {
    switch outcome {
    case .failedAgain: "failed again: \(error ?? "its service does not say why")"
    case .discarded, .alreadyDiscarded: "was discarded, and cannot be redriven"
    case .gone: "is not there any more"
    case .resolved, .alreadyResolved: nil
    }
  }

  private func summary(_ tally: DeadLetterTally, of letters: [ListedDeadLetter]) -> String {
    guard !letters.isEmpty else { return "No open dead letter is meant by that." }
    let left = letters.count - tally.entries.count
    return "Redriven: \(tally.summary)" + (left > 0 ? "; \(left.grouped) not yet asked for" : "") + "."
  }

  private func show(_ plan: DeadLetterPlan) {
    DeadLetterTable(letters: plan.letters).write(to: .standard)
    Output.standard.line("\(plan.letters.count.grouped) would be redriven; nothing was done (--dry-run).")
  }
}

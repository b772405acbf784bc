import ArgumentParser

/// What consumer groups have given up, and what waits behind it.
struct DeadLettersCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dlq", abstract: "Dead letters: what is open, why, and what to do about it.",
    discussion: """
      A dead letter is an event that a consumer group could not read, or that it failed to handle in all its attempts. \
      Later events of that order wait in the group's store until it is redriven or discarded.
      """,
    subcommands: [ListDeadLetters.self, ShowDeadLetter.self, RedriveDeadLetters.self, DiscardDeadLetters.self])
}

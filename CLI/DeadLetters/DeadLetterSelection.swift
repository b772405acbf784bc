import ArgumentParser

/// Which open dead letters a command is about: those that are named, or those that fit all of the filters.
struct DeadLetterSelection: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "Dead letters, as `dlq list` names them: group/number, or the number alone where only one group has it.",
      valueName: "id"))
  var names: [DeadLetterName] = []

  @Flag(help: "All that are open.")
  var all = false

  @Option(help: ArgumentHelp("Those of this key: an order's id.", valueName: "key"))
  var key: String?

  @Option(help: ArgumentHelp("Those whose error has this text in it.", valueName: "text"))
  var error: String?

  @Option(help: ArgumentHelp("Those of this consumer group.", valueName: "group"))
  var group: String?

  func validate() throws {
    guard key != "", error != "", group != "" else { throw ValidationError("an option's value is empty") }
    let hasFilter = all || key != nil || error != nil
    guard names.isEmpty || !hasFilter else {
      throw ValidationError("give either ids or --all, --key, --error, not both")
    }
    guard !names.isEmpty || hasFilter || group != nil else {
      throw ValidationError("say which dead letters: ids, --all, --key, --error or --group")
    }
    guard names.allSatisfy({ $0.group == nil || group == nil || $0.group == group }) else {
      throw ValidationError("an id is of another group than --group")
    }
  }

  /// The dead letters that are meant, oldest first in each group. Named ones may be closed already.
  func letters(in queues: DeadLetterQueues) async throws -> [ListedDeadLetter] {
    guard !names.isEmpty else {
      return try await queues.letters(DeadLetterQueue.Filter(status: "open", key: key, error: error))
    }
    var letters: [ListedDeadLetter] = []
    var seen: Set<DeadLetterName> = []
    for name in names {
      let letter = try await queues.letter(DeadLetterName(group: name.group ?? group, id: name.id))
      if seen.insert(letter.name).inserted { letters.append(letter) }
    }
    return letters
  }
}

/// The dead letter queues of all services, as far as these answer.
struct DeadLetterQueues: Sendable {
  let queues: [DeadLetterQueue]
  /// Why the others are left out.
  let silent: [Failure]

  /// Asks each service for its group.
  ///
  /// - Parameter group: nil for all.
  /// - Throws: ``Failure`` where there is nobody left to ask.
  static func open(_ stack: Stack, group: String? = nil) async throws -> DeadLetterQueues {
    var queues: [DeadLetterQueue] = []
    var silent: [Failure] = []
    for service in stack.clients.all {
      do {
        let consumers = try await service.get("/consumers")["consumers"]?.array ?? []
        queues += consumers.compactMap { $0.object?["group"]?.string }.map {
          DeadLetterQueue(group: $0, service: service)
        }
      } catch let failure as Failure {
        silent.append(failure)
      }
    }
    let all = DeadLetterQueues(queues: queues, silent: silent)
    guard let group else {
      if queues.isEmpty, let first = silent.first { throw first }
      return all
    }
    return DeadLetterQueues(queues: [try all.queue(of: group)], silent: [])
  }

  func queue(of group: String) throws(Failure) -> DeadLetterQueue {
    if let queue = queues.first(where: { $0.group == group }) { return queue }
    let known = queues.map(\.group).joined(separator: ", ")
    let reasons = silent.map { "; \($0)" }.joined()
    throw Failure("there is no group \(group.printable)\(known.isEmpty ? "" : ": there are \(known)")\(reasons)")
  }

  func letters(_ filter: DeadLetterQueue.Filter) async throws -> [ListedDeadLetter] {
    var letters: [ListedDeadLetter] = []
    for queue in queues { letters += try await queue.letters(filter) }
    return letters
  }

  func parked(ofKey key: String? = nil) async throws -> [ParkedOrder] {
    var parked: [ParkedOrder] = []
    for queue in queues { parked += try await queue.parked(ofKey: key) }
    return parked
  }

  /// - Throws: ``Failure`` where there is none with this name, or a bare number is that of several.
  func letter(_ name: DeadLetterName) async throws -> ListedDeadLetter {
    if let group = name.group {
      guard let letter = try await queue(of: group).letter(name.id) else {
        throw Failure("there is no dead letter \(name)")
      }
      return letter
    }
    if let failure = silent.first { throw Failure("\(name) may be that of a service that does not answer: \(failure)") }
    var found: [ListedDeadLetter] = []
    for queue in queues { if let letter = try await queue.letter(name.id) { found.append(letter) } }
    guard let letter = found.first else { throw Failure("there is no dead letter \(name)") }
    guard found.count == 1 else {
      throw Failure("\(name) is in several groups: \(found.map(\.name.description).joined(separator: ", "))")
    }
    return letter
  }

  /// Says which services were left out, and that the command is not done for that.
  func report(to output: Output = .error) throws {
    guard !silent.isEmpty else { return }
    for failure in silent { output.line("orderflow: \(failure)") }
    throw Failure("what is above is without \(silent.count == 1 ? "that service" : "those services")")
  }
}

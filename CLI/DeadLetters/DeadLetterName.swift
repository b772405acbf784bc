import ArgumentParser

/// A dead letter's name over all services: `inventory-service/7`. A bare number stands for the one that has it, where only
/// one group does.
struct DeadLetterName: Sendable, Hashable, CustomStringConvertible {
  /// Nil for a bare number.
  var group: String?
  var id: Int64

  var description: String { group.map { "\($0)/\(id)" } ?? "\(id)" }
}

extension DeadLetterName: ExpressibleByArgument {
  init?(argument: String) {
    // A group's name may have a slash too.
    let parts = argument.split(separator: "/", omittingEmptySubsequences: false)
    guard let number = parts.last, let id = Int64(number), id > 0 else { return nil }
    let group = parts.dropLast().joined(separator: "/")
    guard parts.count == 1 || !group.isEmpty else { return nil }
    self.init(group: parts.count == 1 ? nil : group, id: id)
  }
}

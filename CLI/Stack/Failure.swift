/// Why a command ends with 1: one line that says what failed and what can be done about it.
struct Failure: Error, Sendable, Hashable, CustomStringConvertible {
  var description: String

  init(_ description: String) {
    self.description = description
  }
}

import Foundation

/// A classic bug that a debug build can be told to have again, one at a time, by `MUTATION=<name>` in the environment.
/// For each there is a test that fails then: `docs/guarantees.md` has the table, `MutationTests` runs it. In a release
/// build every one of them is off, and the branches are gone.
public enum Mutation: String, Sendable, CaseIterable {
  /// The consumer's offset is stored before the transaction of its batch is committed.
  case offsetBeforeCommit = "offset-before-commit"

  @inlinable public var isOn: Bool {
    #if FAULT_INJECTION
      Self.active == self
    #else
      false
    #endif
  }

  @usableFromInline static let active = ProcessInfo.processInfo.environment["MUTATION"].flatMap(Mutation.init)
}

import Foundation

/// A process as others who share its store recognise it, also after its end: what it has claimed can be taken back as
/// soon as it is gone.
public struct ProcessIdentity: Sendable, Hashable, LosslessStringConvertible {
  private let processID: Int32
  private let startedAt: Int64
  private let machine: String

  /// This process.
  public static let current: ProcessIdentity = {
    var startedAt: Int64 = 0
    if case .running(let actual?) = ProcessTable.state(of: getpid()) { startedAt = actual }
    return ProcessIdentity(processID: getpid(), startedAt: startedAt, machine: ProcessTable.machine)
  }()

  /// Any process, for tests: one that never was counts as gone.
  package init(processID: Int32, startedAt: Int64, machine: String? = nil) {
    self.processID = processID
    self.startedAt = startedAt
    self.machine = machine ?? ProcessTable.machine
  }

  /// Reads what ``description`` wrote.
  public init?(_ description: String) {
    let parts = description.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, let processID = Int32(parts[0]), let startedAt = Int64(parts[1]) else { return nil }
    self.init(processID: processID, startedAt: startedAt, machine: String(parts[2]))
  }

  public var description: String { "\(processID) \(startedAt) \(machine)" }

  /// Whether it is known to have ended. False where that cannot be known: of a process on another machine, or in
  /// another container.
  public var isGone: Bool {
    machine == ProcessTable.machine && !ProcessTable.isRunning(processID, startedAt: startedAt)
  }
}

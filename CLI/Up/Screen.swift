import Dispatch
import Foundation
import Synchronization

/// What `up` writes to the terminal: its own lines and its children's, each line whole.
///
/// Never blocks its callers: a terminal that has been stopped (Ctrl-S) must not stop the services' logging. At most
/// 10,000 lines wait for a slow terminal; those beyond are left out, with a word about it. They are in the log files.
final class Screen: Sendable {
  static let maximumWaiting = 10_000

  let output: Output
  private let queue = DispatchQueue(label: "orderflow.screen")
  private let backlog = Mutex(Backlog())

  private struct Backlog {
    var waiting = 0
    var leftOut = 0
  }

  init(output: Output = .standard) {
    self.output = output
  }

  func line(_ text: String = "") {
    let leftOut: Int? = backlog.withLock { backlog in
      guard backlog.waiting < Self.maximumWaiting else {
        backlog.leftOut += 1
        return nil
      }
      backlog.waiting += 1
      defer { backlog.leftOut = 0 }
      return backlog.leftOut
    }
    guard let leftOut else { return }
    let note = leftOut > 0 ? "... \(leftOut.grouped) lines left out\n" : ""
    queue.async { [self] in
      output.write(Array("\(note)\(text)\n".utf8))
      backlog.withLock { $0.waiting -= 1 }
    }
  }

  /// A line of the process `name`, which stands before it.
  ///
  /// - Parameter width: of the column with the names.
  func line(_ text: String, of name: String, width: Int, in colour: Colour) {
    let column = name.padding(toLength: max(name.count, width), withPad: " ", startingAt: 0)
    line("\(output.palette.paint("\(column) |", colour)) \(text)")
  }

  /// Waits up to a second until everything is written.
  func flush() {
    let written = DispatchSemaphore(value: 0)
    queue.async { written.signal() }
    _ = written.wait(timeout: .now() + .seconds(1))
  }
}

import Synchronization

/// How far a piece of work of known size is: a bar on a terminal, which writes over itself; elsewhere a line now and
/// then. Any thread.
final class ProgressBar: Sendable {
  /// Between two lines where nobody watches, and between two pictures of the bar.
  static let linePause = Duration.seconds(5)
  static let barPause = Duration.milliseconds(100)

  let name: String
  let total: Int
  private let output: Output
  private let lastShown: Mutex<ContinuousClock.Instant>

  init(_ name: String, of total: Int, output: Output = .error) {
    self.name = name
    self.total = total
    self.output = output
    lastShown = Mutex(.now)
  }

  /// Shows that `done` of the total are done, unless that was shown a moment ago.
  ///
  /// - Parameter note: stands behind the figure: `812/s`.
  func show(_ done: Int, _ note: @autoclosure () -> String = "") {
    let isDue = lastShown.withLock { last in
      guard .now - last >= (output.isTerminal ? Self.barPause : Self.linePause) else { return false }
      last = .now
      return true
    }
    guard isDue else { return }
    let text = Self.picture(name, done: done, of: total, note: note(), isBar: output.isTerminal)
    if output.isTerminal {
      // A line that wraps could not be written over.
      output.write(Array("\r\u{1B}[K\(text.prefix(output.columns - 1))".utf8))
    } else {
      output.line(text)
    }
  }

  /// Wipes the bar, so that what follows starts in an empty line.
  func clear() {
    if output.isTerminal { output.write(Array("\r\u{1B}[K".utf8)) }
  }

  /// `placing  [######··············]  1,500 of 5,000  812/s`.
  static func picture(_ name: String, done: Int, of total: Int, note: String, isBar: Bool) -> String {
    let width = 20
    let filled = total > 0 ? min(width, max(0, width * done / total)) : width
    let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
    let parts = [name, isBar ? "[\(bar)]" : "", "\(done.grouped) of \(total.grouped)", note]
    return parts.filter { !$0.isEmpty }.joined(separator: "  ")
  }
}

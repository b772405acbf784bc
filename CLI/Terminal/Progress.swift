import Synchronization

/// One line on a terminal that says how far the work is and writes over itself; nothing where nobody watches.
final class Progress: Sendable {
  private let output: Output
  private let shown = Mutex<[String: String]>([:])

  init(output: Output = .error) {
    self.output = output
  }

  /// Shows `figure` under `name` beside what the other names show. Any thread.
  func show(_ name: String, _ figure: String) {
    guard output.isTerminal else { return }
    shown.withLock { shown in
      shown[name] = figure
      let text = shown.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: "  ")
      // A line that wraps could not be written over.
      output.write(Array("\r\u{1B}[K\(text.prefix(output.columns - 1))".utf8))
    }
  }

  /// Wipes the line, so that what follows starts in an empty one.
  func clear() {
    guard output.isTerminal else { return }
    shown.withLock { shown in
      guard !shown.isEmpty else { return }
      shown = [:]
      output.write(Array("\r\u{1B}[K".utf8))
    }
  }
}

extension BinaryInteger {
  /// With a comma between thousands: `1,234,567`.
  var grouped: String {
    let digits = String(magnitude)
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index).isMultiple(of: 3) { text.append(",") }
      text.append(digit)
    }
    return signum() < 0 ? "-" + text : text
  }
}

extension Duration {
  /// Whole milliseconds, towards zero.
  var milliseconds: Int64 {
    let (seconds, attoseconds) = components
    return seconds.multipliedReportingOverflow(by: 1000).partialValue &+ attoseconds / 1_000_000_000_000_000
  }

  /// Short, for people: `12 ms`, `3.4 s`.
  var brief: String {
    let milliseconds = milliseconds
    if milliseconds < 1000 { return "\(milliseconds) ms" }
    return "\(milliseconds / 1000).\(milliseconds % 1000 / 100) s"
  }
}

import Logging
import Synchronization

/// What happened in a run, a line each, and a number that two runs share if they were the same.
///
/// Threads: any; what the services log comes from the stores' writers too.
final class Trace: Sendable {
  private struct State {
    var lines: [String] = []
    /// FNV-1a, 64 bits.
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func mix(_ text: String) {
      for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    }
  }

  private let state = Mutex(State())
  private let clock: SimulatedClock
  /// Whether what the services log is among the lines.
  let isDetailed: Bool

  init(clock: SimulatedClock, isDetailed: Bool) {
    self.clock = clock
    self.isDetailed = isDetailed
  }

  var hash: UInt64 { state.withLock { $0.hash } }
  var lines: [String] { state.withLock { $0.lines } }

  /// A thing that happened; part of the hash.
  func note(_ line: String, depth: Int = 0) {
    let line = prefix + String(repeating: "  ", count: depth) + line
    state.withLock { state in
      state.mix(line)
      state.lines.append(line)
    }
  }

  /// What the run has led to; part of the hash, and no line.
  func seal(_ result: String) {
    state.withLock { $0.mix(result) }
  }

  /// A line of a detailed trace, and no part of the hash.
  func remark(_ line: String) {
    guard isDetailed else { return }
    let line = prefix + line
    state.withLock { $0.lines.append(line) }
  }

  private var prefix: String {
    let seconds = "\(Double(Int(clock.now / .milliseconds(1))) / 1_000)"
    return String(repeating: " ", count: max(0, 9 - seconds.count)) + seconds + "  "
  }
}

extension Trace {
  /// For a service: what it logs is part of a detailed trace, and nowhere else.
  func logger(_ label: String) -> Logger {
    guard isDetailed else { return Logger(label: label) { _ in SwiftLogNoOpLogHandler() } }
    return Logger(label: label) { TraceLogHandler(trace: self, label: $0) }
  }
}

private struct TraceLogHandler: LogHandler {
  let trace: Trace
  let label: String
  var logLevel = Logger.Level.info
  var metadata: Logger.Metadata = [:]

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let facts = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    trace.remark("    | " + ([label, "\(event.level)", "\(event.message)"] + facts).joined(separator: " "))
  }
}

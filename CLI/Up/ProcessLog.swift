import Foundation
import Synchronization

/// Takes what a process writes: every byte to its log file, every line to the screen, and remembers the last lines.
final class ProcessLog: Sendable {
  /// A log file larger than this at the start is put aside as `<name>.log.1`.
  static let largestFile = 16 << 20
  static let linesRemembered = 20

  private struct State {
    var splitter = LineSplitter()
    var lastLines: [String] = []
  }

  private let state = Mutex(State())
  private let descriptor: Int32
  private let show: @Sendable (String) -> Void

  /// - Throws: ``Failure`` when the file cannot be written.
  init(path: String, show: @escaping @Sendable (String) -> Void) throws(Failure) {
    let size = (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int ?? 0
    if size > Self.largestFile { rename(path, path + ".1") }
    descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Failure("\(path) cannot be written: \(String(cString: strerror(errno)))") }
    self.show = show
  }

  deinit {
    close(descriptor)
  }

  func take(_ bytes: ArraySlice<UInt8>) {
    _ = writeAll(Array(bytes), to: descriptor)
    remember(state.withLock { $0.splitter.lines(adding: bytes) })
  }

  /// Shows the line that the process did not finish.
  func finish() {
    remember(state.withLock { $0.splitter.finish() }.map { [$0] } ?? [])
  }

  /// The last lines, the oldest first.
  var lastLines: [String] { state.withLock(\.lastLines) }

  private func remember(_ lines: [String]) {
    for line in lines { show(line) }
    state.withLock { $0.lastLines = ($0.lastLines + lines).suffix(Self.linesRemembered) }
  }
}

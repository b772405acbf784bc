import Foundation
import Synchronization

/// A process that a test started, with its output line by line. It is killed when the last reference goes.
public final class ChildProcess: Sendable {
  /// Foundation's `Process` is not Sendable; everything that touches it goes through this lock.
  private let process: Mutex<ProcessBox>
  private let output: LineCollector
  private let exit: AsyncStream<Int32>
  public let processID: Int32

  /// `Process` is thread-compatible; the mutex above makes it thread-safe.
  private struct ProcessBox: @unchecked Sendable { let process: Process }

  public init(
    _ executable: URL, _ arguments: [String] = [], environment: [String: String] = [:], directory: URL? = nil,
    input: [UInt8]? = nil
  ) throws {
    let process = Process()
    process.executableURL = executable
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.currentDirectoryURL = directory
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    let inputPipe = Pipe()
    process.standardInput = input == nil ? FileHandle.nullDevice : inputPipe
    let (exit, continuation) = AsyncStream<Int32>.makeStream()
    process.terminationHandler = {
      continuation.yield($0.terminationReason == .exit ? $0.terminationStatus : 128 + $0.terminationStatus)
      continuation.finish()
    }
    let output = LineCollector()
    pipe.fileHandleForReading.readabilityHandler = { handle in
      let data = handle.availableData
      if data.isEmpty { handle.readabilityHandler = nil }
      output.append(data)
    }
    try process.run()
    if let input {
      try inputPipe.fileHandleForWriting.write(contentsOf: Data(input))
      try inputPipe.fileHandleForWriting.close()
    }
    self.processID = process.processIdentifier
    self.process = Mutex(ProcessBox(process: process))
    self.output = output
    self.exit = exit
  }

  deinit {
    process.withLock { if $0.process.isRunning { kill($0.process.processIdentifier, SIGKILL) } }
  }

  /// Everything written so far, both streams together.
  public var text: String { output.text }

  public func send(_ signal: Int32) {
    kill(processID, signal)
  }

  /// The exit status, 128 + n after a signal. May be asked once.
  public func waitForExit(within limit: Duration = .seconds(60)) async throws -> Int32 {
    try await deadline(limit, "exit of process \(processID); it said:\n\(text)") { [exit] in
      for await status in exit { return status }
      throw CancellationError()
    }
  }

  /// Returns the first line that contains `needle`, once it is written.
  public func waitForLine(containing needle: String, within limit: Duration = .seconds(60)) async throws -> String {
    try await deadline(limit, "a line with “\(needle)”", detail: { [output] in output.text }) { [output] in
      for await line in output.lines() where line.contains(needle) { return line }
      throw CancellationError()
    }
  }

  /// Runs a command to its end.
  public static func run(
    _ executable: URL, _ arguments: [String] = [], environment: [String: String] = [:], directory: URL? = nil,
    input: [UInt8]? = nil, within limit: Duration = .seconds(120)
  ) async throws -> (status: Int32, output: String) {
    let child = try ChildProcess(
      executable, arguments, environment: environment, directory: directory, input: input)
    let status = try await child.waitForExit(within: limit)
    await child.output.waitForEnd()
    return (status, child.text)
  }

  /// Where a program lies on the PATH.
  public static func find(_ program: String) -> URL? {
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
      .map { URL(fileURLWithPath: String($0)).appendingPathComponent(program) }
      .first { FileManager.default.isExecutableFile(atPath: $0.path) }
  }
}

/// Collects output and hands its lines to any number of readers, from the beginning.
private final class LineCollector: Sendable {
  private struct State {
    var data = Data()
    var lines: [String] = []
    var ended = false
    var readers: [Int: AsyncStream<String>.Continuation] = [:]
    var nextReader = 0
  }

  private let state = Mutex(State())

  var text: String { state.withLock { String(decoding: $0.data, as: UTF8.self) } }

  func append(_ data: Data) {
    // Finishing a stream calls back into this collector: never inside the lock.
    let ended = state.withLock { state -> [AsyncStream<String>.Continuation] in
      guard !data.isEmpty else {
        state.ended = true
        defer { state.readers = [:] }
        return Array(state.readers.values)
      }
      state.data.append(data)
      let complete = String(decoding: state.data, as: UTF8.self).split(
        separator: "\n", omittingEmptySubsequences: false
      ).dropLast().map(String.init)
      for line in complete[state.lines.count...] {
        state.lines.append(line)
        state.readers.values.forEach { $0.yield(line) }
      }
      return []
    }
    ended.forEach { $0.finish() }
  }

  func lines() -> AsyncStream<String> {
    AsyncStream { continuation in
      let isOver = state.withLock { state -> Bool in
        state.lines.forEach { continuation.yield($0) }
        guard !state.ended else { return true }
        let reader = state.nextReader
        state.nextReader += 1
        state.readers[reader] = continuation
        continuation.onTermination = { [weak self] _ in
          self?.state.withLock { _ = $0.readers.removeValue(forKey: reader) }
        }
        return false
      }
      if isOver { continuation.finish() }
    }
  }

  func waitForEnd() async {
    for await _ in lines() {}
  }
}

import Foundation
import Synchronization

/// A process that a test started, with its output line by line. It is killed when the last reference goes.
public final class ChildProcess: Sendable {
  private let output: OutputCollector
  public let processID: Int32

  /// Starts `executable`. It inherits no descriptor but its three streams; both output streams come together.
  public init(
    _ executable: URL, _ arguments: [String] = [], environment: [String: String] = [:], input: [UInt8]? = nil
  ) throws {
    let standardInput = try input.map(temporaryFile(holding:)) ?? "/dev/null"
    let environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }.map { "\($0)=\($1)" }
    let (process, readEnd) = try spawning.withLock { _ in
      try spawn([executable.path] + arguments, environment: environment, standardInput: standardInput)
    }
    processID = process
    output = OutputCollector()
    Thread.detachNewThread { [output, process] in output.collect(from: readEnd, of: process) }
  }

  deinit {
    if output.status == nil { kill(processID, SIGKILL) }
  }

  /// Everything written so far, both streams together.
  public var text: String { output.text }

  /// Whether it has ended.
  public var hasEnded: Bool { output.status != nil }

  public func send(_ signal: Int32) {
    kill(processID, signal)
  }

  /// The exit status, 128 + n after a signal.
  public func waitForExit(within limit: Duration = .seconds(60)) async throws -> Int32 {
    let changes = output.changes()
    return try await deadline(limit, "exit of process \(processID); it said:\n", detail: { [output] in output.text }) {
      [output] in
      for await _ in changes { if let status = output.status { return status } }
      throw CancellationError()
    }
  }

  /// Returns the first line that contains `needle`, once it is written.
  public func waitForLine(containing needle: String, within limit: Duration = .seconds(60)) async throws -> String {
    let changes = output.changes()
    return try await deadline(limit, "a line with “\(needle)”", detail: { [output] in output.text }) { [output] in
      for await _ in changes {
        let complete = output.text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        if let line = complete.first(where: { $0.contains(needle) }) { return String(line) }
      }
      throw CancellationError()
    }
  }

  /// Runs a command to its end.
  public static func run(
    _ executable: URL, _ arguments: [String] = [], environment: [String: String] = [:], input: [UInt8]? = nil,
    within limit: Duration = .seconds(120)
  ) async throws -> (status: Int32, output: String) {
    let child = try ChildProcess(executable, arguments, environment: environment, input: input)
    let status = try await child.waitForExit(within: limit)
    return (status, child.text)
  }

  /// Where a program lies on the PATH.
  public static func find(_ program: String) -> URL? {
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
      .map { URL(fileURLWithPath: String($0)).appendingPathComponent(program) }
      .first { FileManager.default.isExecutableFile(atPath: $0.path) }
  }

  public struct SpawnFailed: Error {
    public let arguments: [String]
    public let code: Int32
  }
}

/// Collects a child's output until its end, then its exit status, and tells whoever waits of every change.
private final class OutputCollector: Sendable {
  private struct State {
    var bytes: [UInt8] = []
    var status: Int32?
    var waiting: [AsyncStream<Void>.Continuation] = []
  }

  private let state = Mutex(State())

  var text: String { state.withLock { String(decoding: $0.bytes, as: UTF8.self) } }
  var status: Int32? { state.withLock { $0.status } }

  /// Blocks the calling thread for the child's life. The status is known only when all output is there.
  func collect(from descriptor: Int32, of process: pid_t) {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = read(descriptor, &buffer, buffer.count)
      if count > 0 { change { $0.bytes += buffer[..<count] } } else if count == 0 || errno != EINTR { break }
    }
    close(descriptor)
    var result: Int32 = 0
    while waitpid(process, &result, 0) == -1, errno == EINTR {}
    let signal = result & 0x7f
    change { $0.status = signal == 0 ? (result >> 8) & 0xff : 128 + signal }
  }

  /// One element at once, and one after each change; a reader that is behind gets one for all of them.
  func changes() -> AsyncStream<Void> {
    AsyncStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
      continuation.yield()
      state.withLock { $0.waiting.append(continuation) }
    }
  }

  private func change(_ body: (inout State) -> Void) {
    let waiting = state.withLock { state in
      body(&state)
      return state.waiting
    }
    for continuation in waiting { continuation.yield() }
  }
}

/// One at a time: between its making and its marking a pipe could slip into somebody else's child, which would then keep
/// it open.
private let spawning = Mutex(())

private func spawn(
  _ arguments: [String], environment: [String], standardInput: String
) throws -> (process: pid_t, output: Int32) {
  var ends: [Int32] = [0, 0]
  guard pipe(&ends) == 0 else { throw ChildProcess.SpawnFailed(arguments: arguments, code: errno) }
  let (readEnd, writeEnd) = (ends[0], ends[1])
  for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
  defer { close(writeEnd) }

  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  defer { posix_spawn_file_actions_destroy(&actions) }
  posix_spawn_file_actions_addopen(&actions, 0, standardInput, O_RDONLY, 0)
  posix_spawn_file_actions_adddup2(&actions, writeEnd, 1)
  posix_spawn_file_actions_adddup2(&actions, writeEnd, 2)

  var process = pid_t()
  let code = withCStrings(arguments) { arguments in
    withCStrings(environment) { posix_spawn(&process, arguments[0]!, &actions, nil, arguments, $0) }
  }
  guard code == 0 else {
    close(readEnd)
    throw ChildProcess.SpawnFailed(arguments: arguments, code: code)
  }
  return (process, readEnd)
}

private func temporaryFile(holding bytes: [UInt8]) throws -> String {
  let file = try temporaryFolder().appendingPathComponent("input")
  try Data(bytes).write(to: file)
  return file.path
}

private func withCStrings<Result>(
  _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
) -> Result {
  let copies = strings.map { strdup($0) } + [nil]
  defer { copies.forEach { free($0) } }
  return body(copies)
}

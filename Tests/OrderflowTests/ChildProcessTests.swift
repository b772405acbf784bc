import Foundation
import Synchronization
import Testing

@testable import orderflow

struct ChildProcessTests {
  private static let hasProc = FileManager.default.fileExists(atPath: "/proc/self/stat")

  /// Runs a line of shell as a child and returns how it ended and what it wrote.
  private func run(
    _ script: String, environment: [String: String] = [:], lifeline: DescriptorPipe? = nil,
    during: (orderflow.ChildProcess) -> Void = { _ in }
  ) async throws -> (exit: orderflow.ChildProcess.Exit, output: String) {
    let pipe = try lifeline ?? DescriptorPipe()
    let child = try orderflow.ChildProcess(
      executable: "/bin/sh", arguments: ["-c", script], environment: environment, lifeline: pipe.readEnd)
    during(child)
    let output = OutputBox()
    let exit = try await child.run { output.add($0) }
    return (exit, String(decoding: output.bytes, as: UTF8.self))
  }

  @Test func itsOutputAndItsExitStatusAreSeen() async throws {
    let (exit, output) = try await run("echo out $NAME; echo err >&2; exit 3", environment: ["NAME": "value"])

    #expect(exit == .exited(3))
    #expect(output == "out value\nerr\n")
  }

  @Test(.enabled(if: hasProc)) func itRunsInAGroupOfItsOwn() async throws {
    // Field 5 of /proc/PID/stat is the process group; this shell's name has no spaces.
    let (_, output) = try await run("echo $$ $(cut -d' ' -f5 /proc/$$/stat)", environment: ["PATH": "/bin:/usr/bin"])

    let numbers = output.split(whereSeparator: \.isWhitespace)
    #expect(numbers.count == 2 && numbers.first == numbers.last)
  }

  @Test func aSignalEndsIt() async throws {
    let (exit, _) = try await run("kill -TERM $$; sleep 60", environment: ["PATH": "/bin:/usr/bin"])

    #expect(exit == .killed(signal: SIGTERM))
  }

  @Test func itSeesTheLifelineClose() async throws {
    let lifeline = try DescriptorPipe()

    let (exit, output) = try await run("read line <&3; echo closed", lifeline: lifeline) { _ in
      close(lifeline.writeEnd)
    }

    #expect(exit == .exited(0))
    #expect(output == "closed\n")
  }

  @Test(.enabled(if: hasProc)) func itHasNoDescriptorsButItsOwn() async throws {
    // Not closed by exec, as a library's socket.
    let leaking = fcntl(STDERR_FILENO, F_DUPFD, 50)
    defer { close(leaking) }

    let (_, output) = try await run("for fd in /proc/$$/fd/*; do echo ${fd##*/}; done")

    let numbers = Set(output.split(separator: "\n").compactMap { Int32($0) })
    #expect(numbers.isSuperset(of: [0, 1, 2, 3]))
    #expect(!numbers.contains(leaking))
  }

  @Test func whatIsNotThereCannotBeStarted() throws {
    let pipe = try DescriptorPipe()

    #expect(throws: Failure.self) {
      try orderflow.ChildProcess(executable: "/nowhere/at-all", environment: [:], lifeline: pipe.readEnd)
    }
  }
}

private final class OutputBox: Sendable {
  private let content = Mutex<[UInt8]>([])

  var bytes: [UInt8] { content.withLock { $0 } }

  func add(_ bytes: ArraySlice<UInt8>) { content.withLock { $0 += bytes } }
}

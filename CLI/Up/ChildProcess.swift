import Foundation
import Messaging
import Synchronization

/// A process that was started here, in a process group of its own, so that a terminal's Ctrl-C does not reach it.
final class ChildProcess: Sendable {
  /// How a process ended.
  enum Exit: Sendable, Hashable, CustomStringConvertible {
    case exited(Int32)
    case killed(signal: Int32)

    var description: String {
      switch self {
      case .exited(let status): "exit status \(status)"
      case .killed(let signal): "killed by signal \(signal)"
      }
    }
  }

  /// The number under which a child finds its end of the lifeline.
  static let lifelineDescriptor: Int32 = 3

  let processID: pid_t
  private let output: Int32
  private let isGone = Mutex(false)

  /// Starts `executable` with standard output and standard error on a pipe that ``run(reading:)`` reads.
  ///
  /// - Parameter lifeline: becomes descriptor ``lifelineDescriptor`` of the child; every other one is closed there.
  /// - Throws: ``Failure`` when it cannot be started.
  init(
    executable: String, arguments: [String] = [], environment: [String: String], lifeline: Int32
  ) throws(Failure) {
    let pipe = try DescriptorPipe()
    defer { close(pipe.writeEnd) }
    do throws(Failure) {
      processID = try spawn(
        executable: executable, arguments: arguments, environment: environment, output: pipe.writeEnd,
        lifeline: lifeline)
    } catch {
      close(pipe.readEnd)
      throw error
    }
    output = pipe.readEnd
  }

  /// Hands over what the process writes, as it comes, and returns when it has ended. Call it once.
  func run(reading take: @escaping @Sendable (ArraySlice<UInt8>) -> Void) async throws -> Exit {
    try await DedicatedThread.run(named: "child-\(processID)") { [self] in
      var buffer = [UInt8](repeating: 0, count: 64 << 10)
      while true {
        let count = read(output, &buffer, buffer.count)
        if count > 0 {
          take(buffer[..<count])
        } else if count == 0 || errno != EINTR {
          break
        }
      }
      close(output)
      return reap()
    }
  }

  /// Sends a signal, unless the process has ended: its id may be somebody else's by then.
  func send(_ signal: Int32) {
    isGone.withLock { isGone in
      if !isGone { kill(processID, signal) }
    }
  }

  private func reap() -> Exit {
    var information = siginfo_t()
    while waitid(P_PID, id_t(processID), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
    return isGone.withLock { isGone in
      var status: Int32 = 0
      while waitpid(processID, &status, 0) < 0, errno == EINTR {}
      isGone = true
      let signal = status & 0x7F
      return signal == 0 ? .exited((status >> 8) & 0xFF) : .killed(signal: signal)
    }
  }
}

/// `posix_spawn` with what a service needs: /dev/null to read, `output` to write, the lifeline, no other descriptor;
/// signals as a fresh process has them, except that SIGPIPE stays ignored: a log line that nobody reads any more
/// must not end a service that is about to stop in order.
private func spawn(
  executable: String, arguments: [String], environment: [String: String], output: Int32, lifeline: Int32
) throws(Failure) -> pid_t {
  #if os(Linux)
    var actions = posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
  #else
    var actions: posix_spawn_file_actions_t?
    var attributes: posix_spawnattr_t?
  #endif
  posix_spawn_file_actions_init(&actions)
  defer { posix_spawn_file_actions_destroy(&actions) }
  posix_spawnattr_init(&attributes)
  defer { posix_spawnattr_destroy(&attributes) }

  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
  posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO)
  posix_spawn_file_actions_adddup2(&actions, lifeline, ChildProcess.lifelineDescriptor)

  var flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK
  #if os(Linux)
    // Libraries open sockets without close-on-exec: the embedded broker's would outlive `up` in its children.
    for descriptor in (ChildProcess.lifelineDescriptor + 1)...highestOpenDescriptor() {
      posix_spawn_file_actions_addclose(&actions, descriptor)
    }
  #else
    flags |= POSIX_SPAWN_CLOEXEC_DEFAULT
  #endif

  var none = sigset_t()
  sigemptyset(&none)
  var defaults = sigset_t()
  sigemptyset(&defaults)
  for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD, SIGUSR1, SIGUSR2] { sigaddset(&defaults, signal) }
  posix_spawnattr_setsigmask(&attributes, &none)
  posix_spawnattr_setsigdefault(&attributes, &defaults)
  posix_spawnattr_setpgroup(&attributes, 0)
  posix_spawnattr_setflags(&attributes, Int16(flags))

  let words: [UnsafeMutablePointer<CChar>?] = ([executable] + arguments).map { strdup($0) } + [nil]
  let variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
  defer { for text in words + variables { free(text) } }
  var processID: pid_t = 0
  let result = posix_spawn(&processID, executable, &actions, &attributes, words, variables)
  guard result == 0 else { throw Failure("\(executable) cannot be started: \(String(cString: strerror(result)))") }
  return processID
}

/// The highest descriptor that is open, and some above it for those that other threads open meanwhile.
private func highestOpenDescriptor() -> Int32 {
  let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
  let highest = names.compactMap { Int32($0) }.max() ?? 255
  var limit = rlimit()
  #if os(Linux)
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  #else
    getrlimit(RLIMIT_NOFILE, &limit)
  #endif
  return max(ChildProcess.lifelineDescriptor + 1, min(highest + 64, Int32(clamping: limit.rlim_cur) - 1))
}

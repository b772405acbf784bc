import Foundation
import Messaging

/// What the system knows of processes: the way to tell that a lease's holder is gone, without waiting for its end.
///
/// An id alone does not name a process, for ids are used again; with the moment of its start it does.
enum ProcessTable {
  /// Names the numbering that process ids of this process belong to: the machine since its last start, and on Linux the
  /// container. Ids of another numbering say nothing here.
  static let machine: String = {
    #if os(Linux)
      let boot = (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? ""
      let namespace = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")) ?? ""
      return boot.trimmingCharacters(in: .whitespacesAndNewlines) + "/" + namespace
    #else
      var boot = timeval()
      var size = MemoryLayout<timeval>.size
      sysctlbyname("kern.boottime", &boot, &size, nil, 0)
      return "\(ProcessInfo.processInfo.hostName)/\(boot.tv_sec)"
    #endif
  }()

  /// When the holder's process was started. Of this process the table knows better than anybody who tells.
  static func start(of holder: LeaseHolder) -> Int64 {
    guard holder.processID == getpid(), case .running(let startedAt?) = state(of: holder.processID) else {
      return holder.processStartedAt
    }
    return startedAt
  }

  static func isRunning(_ processID: Int32, startedAt: Int64) -> Bool {
    switch state(of: processID) {
    case .gone: false
    case .running(let actual?): actual == startedAt
    // The table does not say: the lease's own end has to be waited for.
    case .running(nil): true
    }
  }

  enum State: Equatable {
    /// In Linux's clock ticks since the machine's start, on macOS in microseconds since 1970.
    case running(startedAt: Int64?)
    /// Not there any more, or only waiting to be buried by its parent.
    case gone
  }

  static func state(of processID: Int32) -> State {
    guard processID > 0 else { return .gone }
    if kill(processID, 0) != 0, errno == ESRCH { return .gone }
    #if os(Linux)
      return linuxState(of: processID)
    #else
      return darwinState(of: processID)
    #endif
  }

  #if os(Linux)
    /// proc(5): `pid (name) state ppid ...`; the name may contain anything, also spaces and brackets, so the fields are
    /// counted from behind its last bracket. The start time is the 22nd field.
    private static func linuxState(of processID: Int32) -> State {
      guard let line = try? String(contentsOfFile: "/proc/\(processID)/stat", encoding: .utf8),
        let end = line.lastIndex(of: ")")
      else { return .running(startedAt: nil) }
      let fields = line[line.index(after: end)...].split(separator: " ")
      guard fields.count > 19 else { return .running(startedAt: nil) }
      return ["Z", "X"].contains(fields[0]) ? .gone : .running(startedAt: Int64(fields[19]))
    }
  #else
    private static func darwinState(of processID: Int32) -> State {
      var query = [CTL_KERN, KERN_PROC, KERN_PROC_PID, processID]
      var process = kinfo_proc()
      var size = MemoryLayout<kinfo_proc>.stride
      guard sysctl(&query, UInt32(query.count), &process, &size, nil, 0) == 0, size > 0 else {
        return .running(startedAt: nil)
      }
      guard Int32(process.kp_proc.p_stat) != SZOMB else { return .gone }
      let start = process.kp_proc.p_starttime
      return .running(startedAt: Int64(start.tv_sec) * 1_000_000 + Int64(start.tv_usec))
    }
  #endif
}

extension LeaseHolder {
  /// A relay of this process, recognised as gone as soon as the process is.
  public static func currentProcess(name: String) -> LeaseHolder {
    var startedAt: Int64 = 0
    if case .running(let actual?) = ProcessTable.state(of: getpid()) { startedAt = actual }
    return LeaseHolder(name: name, processID: getpid(), processStartedAt: startedAt)
  }
}

import Foundation

/// A disk in memory for the stores, which can be made full and given room again.
///
/// Making it takes the right to mount, so `chaos` goes into a mount namespace of its own first: nobody else sees the
/// mount, and it is gone with the last process that does.
struct SmallDisk: Sendable {
  static let capacity = 1 << 30

  let path: String

  /// Mounts it at `path`, an empty directory.
  init(at path: String) throws(Failure) {
    self.path = path
    #if os(Linux)
      guard mount("orderflow", path, "tmpfs", 0, "size=\(Self.capacity),mode=0700") == 0 else {
        throw Failure("no small disk at \(path): \(String(cString: strerror(errno)))")
      }
    #else
      throw Failure("a disk that can be made full needs Linux")
    #endif
  }

  /// Leaves no free block. What is there stays.
  func fill() throws(Failure) {
    // Others go on writing while the figure is read and used, so the limit may lie below what is taken by then.
    for _ in 0..<50 {
      var information = statvfs()
      guard statvfs(path, &information) == 0 else { break }
      let taken = UInt64(information.f_blocks - information.f_bfree) * UInt64(information.f_frsize)
      if resize(to: max(taken, 4096)) { return }
    }
    throw Failure("\(path) cannot be made full: \(String(cString: strerror(errno)))")
  }

  func makeRoom() throws(Failure) {
    guard resize(to: UInt64(Self.capacity)) else {
      throw Failure("\(path) cannot be given room: \(String(cString: strerror(errno)))")
    }
  }

  /// Forgets everything on it.
  func unmount() {
    #if os(Linux)
      // Files that are still open go with their last user.
      umount2(path, 2)  // MNT_DETACH
    #endif
  }

  private func resize(to size: UInt64) -> Bool {
    #if os(Linux)
      let remount: UInt = 32  // MS_REMOUNT
      return mount("orderflow", path, "tmpfs", remount, "size=\(size)") == 0
    #else
      return false
    #endif
  }
}

/// A view of the file system in which this process may mount, and which nobody else sees.
enum MountNamespace {
  static let mark = "ORDERFLOW_MOUNT_NAMESPACE"

  /// Whether this process is in one already.
  static var isEntered: Bool { ProcessInfo.processInfo.environment[mark] != nil }

  /// Starts this executable anew, in a namespace, in this very process. Returns only where that is not possible.
  ///
  /// - Parameter arguments: put behind those that this process was started with.
  /// - Returns: why.
  static func enter(adding arguments: [String]) -> String {
    #if os(Linux)
      guard let executable = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") else {
        return "the path of this executable cannot be found out"
      }
      var reason = "there is no unshare(1)"
      for options in [["--mount"], ["--user", "--map-root-user", "--mount"]] {
        let unshare = ["unshare"] + options + ["--propagation", "private", "--"]
        let probe = run(unshare + ["mount", "-t", "tmpfs", "-o", "size=64k", "orderflow", "/tmp"])
        guard probe.isSuccess else {
          reason = probe.text
          continue
        }
        setenv(mark, "1", 1)
        let words = (unshare + [executable] + CommandLine.arguments.dropFirst() + arguments).map { strdup($0) } + [nil]
        execvp("unshare", words)
        return String(cString: strerror(errno))
      }
      return reason
    #else
      return "it needs Linux"
    #endif
  }

  private static func run(_ words: [String]) -> (isSuccess: Bool, text: String) {
    let process = Process()
    let output = Foundation.Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = words
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = output
    do {
      try process.run()
    } catch {
      return (false, error.localizedDescription)
    }
    let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus == 0, said.split(separator: "\n").first.map(String.init) ?? "refused")
  }
}

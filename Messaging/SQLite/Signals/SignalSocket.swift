import Foundation

/// A Unix datagram socket under a name of its own in a folder, and its neighbours there.
///
/// Threads: ``receive()`` and ``close()`` belong to one; the others may be called from any until ``close()``.
final class SignalSocket: Sendable {
  struct Failed: Error, CustomStringConvertible {
    let step: String
    let code: Int32
    var description: String { "\(step): \(String(cString: strerror(code)))" }
  }

  enum Sending {
    case sent
    /// There is no room in the receiver's queue: it stands still, or is far behind.
    case lost
    /// Nobody listens under that name any more.
    case gone
  }

  /// Unique for ever: a name is never used again, so the file of a dead socket can be removed without a look back.
  let name = "\(getpid())-\(UInt64.random(in: .min ... .max)).socket"
  private let folder: SocketFolder
  private let descriptor: Int32
  private let interruption: (readEnd: Int32, writeEnd: Int32)

  init(folder path: String) throws(Failed) {
    folder = try SocketFolder(path)
    descriptor = try Self.makeDescriptor()
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw Failed(step: "pipe", code: errno) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    interruption = (ends[0], ends[1])
    // Under another name first: between its making and its listening the file would look like that of a dead socket.
    let unfinished = name + ".new"
    guard folder.withAddress(of: unfinished, { bind(descriptor, $0, $1) }) == 0 else {
      throw Failed(step: "bind in \(path)", code: errno)
    }
    guard renameat(folder.descriptor, unfinished, folder.descriptor, name) == 0 else {
      throw Failed(step: "rename in \(path)", code: errno)
    }
  }

  /// The names of all sockets in the folder but this one.
  func neighbours() -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { $0 != name && Self.isName($0) }
  }

  /// Whether `name` may be a socket's: it comes from outside, and becomes part of a path.
  static func isName(_ name: String) -> Bool {
    name.hasSuffix(".socket")
      && name.utf8.allSatisfy { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") || isAlphanumeric($0) }
  }

  /// Never blocks. The file of a socket that nobody listens on any more is removed.
  func send(_ signal: InstanceSignal, to name: String) -> Sending {
    let bytes = signal.bytes
    let count = folder.withAddress(of: name) { sendto(descriptor, bytes, bytes.count, 0, $0, $1) }
    if count >= 0 { return .sent }
    switch errno {
    case ECONNREFUSED:
      unlinkat(folder.descriptor, name, 0)
      return .gone
    case ENOENT: return .gone
    default: return .lost
    }
  }

  /// Blocks until something has come, and returns all that has; nil after ``interrupt()``.
  func receive() -> [InstanceSignal]? {
    var waits = [
      pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
      pollfd(fd: interruption.readEnd, events: Int16(POLLIN), revents: 0),
    ]
    while poll(&waits, nfds_t(waits.count), -1) < 0 {
      guard errno == EINTR else { return nil }
    }
    guard waits[1].revents == 0 else { return nil }
    var signals: [InstanceSignal] = []
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    // Bounded, so that a flood of signals does not keep the first ones waiting.
    while signals.count < 1000 {
      let count = recv(descriptor, &buffer, buffer.count, 0)
      guard count >= 0 else { break }
      if let signal = InstanceSignal(buffer[..<count]) { signals.append(signal) }
    }
    return signals
  }

  /// Ends ``receive()``, for good. From any thread.
  func interrupt() {
    var byte: UInt8 = 0
    _ = write(interruption.writeEnd, &byte, 1)
  }

  func close() {
    unlinkat(folder.descriptor, name, 0)
    abandon()
  }

  /// What is left of a socket whose process was killed: its file.
  func abandon() {
    for descriptor in [descriptor, interruption.readEnd, interruption.writeEnd, folder.descriptor] {
      Foundation.close(descriptor)
    }
  }

  private static func makeDescriptor() throws(Failed) -> Int32 {
    #if os(Linux)
      let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    #else
      let descriptor = socket(AF_UNIX, SOCK_DGRAM, 0)
    #endif
    guard descriptor >= 0 else { throw Failed(step: "socket", code: errno) }
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    return descriptor
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
    default: false
    }
  }
}

/// Where sockets lie, and how they are addressed there.
///
/// A socket's address holds about a hundred bytes of path, and databases may lie deeper than that. On Linux the folder is
/// then named by its open descriptor, which makes the path short whatever it was.
private struct SocketFolder: Sendable {
  let path: String
  let descriptor: Int32

  /// Made, for its owner only, where it is missing.
  init(_ path: String) throws(SignalSocket.Failed) {
    guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
      throw SignalSocket.Failed(step: "making \(path)", code: errno)
    }
    self.path = path
    descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw SignalSocket.Failed(step: "opening \(path)", code: errno) }
    guard fits(address(of: "\(pid_t.max)-\(UInt64.max).socket.new")) else {
      close(descriptor)
      throw SignalSocket.Failed(step: path, code: ENAMETOOLONG)
    }
  }

  func withAddress<Result: FixedWidthInteger>(
    of name: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
  ) -> Result {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: self.address(of: name).utf8) }
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
  }

  private func address(of name: String) -> String {
    let direct = "\(path)/\(name)"
    #if os(Linux)
      return fits(direct) ? direct : "/proc/self/fd/\(descriptor)/\(name)"
    #else
      return direct
    #endif
  }

  /// With the zero byte at its end.
  private func fits(_ path: String) -> Bool {
    path.utf8.count < MemoryLayout.size(ofValue: sockaddr_un().sun_path)
  }
}

import Foundation

/// The right to run a stack on a state directory: one `up` at a time. The kernel takes it back when the process
/// ends, however it ends.
final class StateLock: Sendable {
  private let descriptor: Int32

  /// Makes the directory if it is missing, and takes the lock.
  ///
  /// - Throws: ``Failure`` when another `up` has it, or the directory cannot be used.
  init(_ paths: StatePaths) throws(Failure) {
    do {
      try FileManager.default.createDirectory(atPath: paths.directory, withIntermediateDirectories: true)
    } catch {
      throw Failure("\(paths.directory) cannot be made: \(error.localizedDescription)")
    }
    descriptor = open(paths.lock, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Failure("\(paths.lock) cannot be opened: \(String(cString: strerror(errno)))") }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let holder = FileManager.default.contents(atPath: paths.lock).map { String(decoding: $0, as: UTF8.self) } ?? ""
      close(descriptor)
      let process = Int32(holder.trimmingCharacters(in: .whitespacesAndNewlines)).map { " (process \($0))" } ?? ""
      throw Failure(
        "another `orderflow up`\(process) runs on \(paths.directory); stop it, or use another --data-dir")
    }
    ftruncate(descriptor, 0)
    _ = writeAll(Array("\(getpid())\n".utf8), to: descriptor)
  }

  deinit {
    close(descriptor)
  }
}

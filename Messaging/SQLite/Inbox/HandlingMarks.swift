import Foundation
import Messaging
import Synchronization

/// What the processes of a store have at hand: a file for each in a folder beside the store, mapped into its memory, so
/// that a mark costs a few nanoseconds and is there when the process is not any more.
///
/// A process holds a lock on its file as long as it lives, also while it is stopped; the kernel takes it back at the end,
/// however that comes. So a file that can be locked is one that a dead process has left. Nothing is synced: a power
/// cut is nobody's fault.
///
/// Threads: ``mark(_:group:)`` belongs to the store's writer, and ``close()`` comes after its end; the rest may be called
/// from any thread.
final class HandlingMarks: Sendable {
  let folder: String
  /// The address of the mapped file of this process; 0 while it has none.
  private let page = Atomic<UInt>(0)
  private let own = Mutex<OwnFile?>(nil)

  private struct OwnFile {
    var name: String
    var descriptor: Int32
  }

  init(databasePath: String) {
    folder = databasePath + "-handling"
  }

  deinit {
    close()
  }

  /// Makes this process's file where it has none. Where that fails (a full disk) there are no marks until the next call.
  func open() {
    own.withLock { own in
      guard own == nil, let file = makeFile() else { return }
      own = file
    }
  }

  private func makeFile() -> OwnFile? {
    guard (try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)) != nil
    else { return nil }
    let name = "\(getpid())-\(String(UInt32.random(in: .min ... .max), radix: 16))"
    let path = "\(folder)/\(name)"
    let descriptor = Foundation.open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { return nil }
    let file = OwnFile(name: name, descriptor: descriptor)
    // Written and not only lengthened: a page without room on the disk would end the process when it is touched.
    let zeros = [UInt8](repeating: 0, count: HandlingPage.size)
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, write(descriptor, zeros, zeros.count) == zeros.count,
      isThere(path, descriptor),
      let memory = mmap(nil, HandlingPage.size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0),
      memory != MAP_FAILED
    else {
      unlink(path)
      _ = Foundation.close(descriptor)
      return nil
    }
    page.store(UInt(bitPattern: memory), ordering: .releasing)
    return file
  }

  /// Somebody may have taken the file for a leftover, between its making and its lock.
  private func isThere(_ path: String, _ descriptor: Int32) -> Bool {
    var (byName, byDescriptor) = (stat(), stat())
    return stat(path, &byName) == 0 && fstat(descriptor, &byDescriptor) == 0 && byName.st_ino == byDescriptor.st_ino
  }

  func mark(_ subject: HandlingSubject?, group: String) {
    guard let memory = UnsafeMutableRawPointer(bitPattern: page.load(ordering: .acquiring)) else { return }
    HandlingPage(memory: memory).write(subject, group: group)
  }

  /// Removes this process's file: it goes with nothing at hand.
  func close() {
    letGo { unlink("\(folder)/\($0)") }
  }

  /// Leaves the file as the death of this process would, for tests.
  func abandon() {
    letGo { _ in }
  }

  private func letGo(_ body: (_ name: String) -> Void) {
    own.withLock { file in
      guard let leaving = file else { return }
      let address = page.exchange(0, ordering: .acquiringAndReleasing)
      if let memory = UnsafeMutableRawPointer(bitPattern: address) { munmap(memory, HandlingPage.size) }
      body(leaving.name)
      _ = Foundation.close(leaving.descriptor)
      file = nil
    }
  }

  /// The files of processes that are gone. They stay locked, so that nobody else counts them, until they are let go.
  func leftovers() -> [LeftMark] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let ownName = own.withLock { $0?.name }
    return names.sorted().compactMap { $0 == ownName ? nil : LeftMark(folder: folder, name: $0) }
  }
}

/// The file of a process that is gone.
struct LeftMark {
  let name: String
  /// Nil where it had nothing at hand.
  let content: (group: String, subject: HandlingSubject)?
  private let path: String
  private let descriptor: Int32

  /// Nil where its process lives, or somebody else is at it.
  init?(folder: String, name: String) {
    self.name = name
    path = "\(folder)/\(name)"
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      _ = Foundation.close(descriptor)
      return nil
    }
    var bytes = [UInt8](repeating: 0, count: HandlingPage.size)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    content = count == bytes.count ? HandlingPage.read(bytes) : nil
  }

  /// What it says is counted.
  func remove() {
    unlink(path)
  }

  func letGo() {
    _ = Foundation.close(descriptor)
  }
}

import Foundation

/// The file of a store, before SQLite sees it.
struct StoreFile {
  let path: String

  /// Makes the folder and the file where they are missing. The store holds people's orders, so only its owner may read
  /// it; SQLite gives its log the same rights. The folder is synced: the file's name must survive a power cut too.
  func create() throws {
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw SQLiteStoreError(path: path, reason: "the folder \(folder) cannot be made: \(error.localizedDescription)")
    }
    // Exclusively: closing a descriptor of a file that is open already would drop SQLite's locks on it, which belong to
    // the process and not to the descriptor (https://www.sqlite.org/howtocorrupt.html, 2.2).
    let file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard file >= 0 else {
      guard errno == EEXIST else {
        throw SQLiteStoreError(path: path, reason: "cannot be made: \(String(cString: strerror(errno)))")
      }
      return
    }
    close(file)
    let directory = open(folder, O_RDONLY | O_CLOEXEC)
    guard directory >= 0 else { return }
    fsync(directory)
    close(directory)
  }
}

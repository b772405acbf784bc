import Foundation
import GRDB
import Synchronization

/// The write-ahead log of a database file, and when it is written back.
///
/// SQLite before 3.51.3 can damage a log when one connection checkpoints while another commits. So nobody checkpoints but
/// a writer between two of its transactions, in the mode that holds the write lock meanwhile (TRUNCATE): no
/// process can commit at that moment. Where the lock or a reader's end does not come in time, SQLite writes back what it
/// can, and the rest waits for the next occasion.
final class WriteAheadLog: Sendable {
  enum Occasion {
    case idle, busy, closing
  }

  private let path: String
  private let idleLimit: Int
  private let busyLimit: Int
  private let wait: BusyWait
  /// The size that the log had when it could not be emptied; it has to grow before that is tried again.
  private let refusedAt = Mutex(0)

  init(databasePath: String, wait: BusyWait, configuration: SQLiteConfiguration) {
    path = databasePath + "-wal"
    idleLimit = max(1, configuration.checkpointSize)
    busyLimit = max(idleLimit, configuration.checkpointSizeUnderLoad)
    self.wait = wait
  }

  /// In bytes; 0 when there is none.
  var size: Int {
    var information = stat()
    return stat(path, &information) == 0 ? Int(information.st_size) : 0
  }

  func isDue(_ occasion: Occasion) -> Bool {
    let size = size
    switch occasion {
    case .closing: return size > 0
    case .idle: return size >= idleLimit + refusedAt.withLock { $0 }
    case .busy: return size >= busyLimit + refusedAt.withLock { $0 }
    }
  }

  /// On the writer's connection, outside a transaction. Waits a little for readers, who would otherwise keep the log
  /// from being emptied, but not as long as a transaction waits: writers wait meanwhile.
  func checkpoint(_ database: Database) -> Result<Void, any Error> {
    let result = Result { () throws -> Void in
      try wait.withPatience(.milliseconds(500)) { _ = try database.checkpoint(.truncate) }
    }
    let size = size
    refusedAt.withLock { refusedAt in
      if case .failure = result { refusedAt = size } else { refusedAt = 0 }
    }
    return result
  }
}

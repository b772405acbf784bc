import Foundation
import GRDB
import Synchronization

/// The write-ahead log of a database file, and when it is written back.
///
/// SQLite before 3.51.3 can damage a log when one connection checkpoints while another commits. So nobody checkpoints but
/// a writer between two of its transactions, in the mode that holds the write lock meanwhile (TRUNCATE): no
/// process can commit at that moment. Where the lock does not come in time, nothing is done; where a reader's end does not,
/// SQLite writes back what it can. The rest waits for the next occasion.
final class WriteAheadLog: Sendable {
  enum Occasion {
    case idle, busy, closing
  }

  private let path: String
  private let idleLimit: Int
  private let busyLimit: Int
  private let wait: BusyWait
  /// When it could not be emptied: the moment before which that is not tried again.
  private let pausedUntil = Mutex<ContinuousClock.Instant?>(nil)

  /// Writers wait while a checkpoint waits for readers: so it does not wait long, and after it has waited in vain, not
  /// again for a time twenty times as long.
  private static let patience = Duration.milliseconds(500)
  private static let pause = Duration.seconds(10)

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
    switch occasion {
    case .closing: size > 0
    case .idle: size >= idleLimit && !isPaused
    case .busy: size >= busyLimit && !isPaused
    }
  }

  /// On the writer's connection, outside a transaction.
  func checkpoint(_ database: Database) -> Result<Void, any Error> {
    let result = Result { () throws -> Void in
      try wait.withPatience(Self.patience) {
        // Without the write lock SQLite would go on as a passive checkpoint, the very thing that must not be: so whether
        // the lock is to be had, or in the hands of a process that stands still, is found out first.
        try database.inTransaction(.immediate) { .rollback }
        _ = try database.checkpoint(.truncate)
      }
    }
    pausedUntil.withLock { pausedUntil in
      if case .failure = result { pausedUntil = .now + Self.pause } else { pausedUntil = nil }
    }
    return result
  }

  private var isPaused: Bool {
    pausedUntil.withLock { pausedUntil in
      guard let moment = pausedUntil else { return false }
      return ContinuousClock.now < moment
    }
  }
}

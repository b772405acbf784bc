import GRDB
import Messaging

/// A store cannot be opened, or is used in a way that can never work. Trying again does not help; `reason` says what
/// to do.
public struct SQLiteStoreError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The database file, or ":memory:".
  public var path: String
  /// For people.
  public var reason: String

  public init(path: String, reason: String) {
    self.path = path
    self.reason = reason
  }

  public var description: String { "SQLite store \(path): \(reason)" }
}

extension StoreUnavailable {
  /// What `error` means to the user of a store: an SQLite error that is the store's own trouble and no fault of the
  /// statement becomes ``StoreUnavailable``; everything else stays what it is.
  static func translating(_ error: any Error) -> any Error {
    guard let error = error as? DatabaseError else { return error }
    switch error.resultCode {
    case .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_FULL, .SQLITE_IOERR, .SQLITE_NOMEM, .SQLITE_READONLY, .SQLITE_CANTOPEN,
      .SQLITE_PROTOCOL, .SQLITE_INTERRUPT, .SQLITE_ABORT, .SQLITE_PERM, .SQLITE_CORRUPT, .SQLITE_NOTADB:
      return StoreUnavailable(describing: error)
    case .SQLITE_MISUSE where error.message == DatabaseError.closedMessage:
      return StoreUnavailable("the store is closed")
    default:
      return error
    }
  }

  /// Of a transaction that could not be carried out: whatever it failed with, nothing of it was written.
  init(rolledBackBy error: any Error) {
    switch error {
    case let error as StoreUnavailable: self = error
    case let error as DatabaseError: self.init(describing: error)
    default: self.init("the transaction was rolled back: \(error)")
    }
  }

  private init(describing error: DatabaseError) {
    self.init("\(error.resultCode): \(error.message ?? "no further detail")")
  }
}

extension DatabaseError {
  fileprivate static let closedMessage = "Connection is closed"
}

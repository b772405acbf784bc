import MessagingSQLite

/// The mails in the order in which they were written, read forwards. Who goes on behind the last sequence misses none
/// and gets none twice: SQLite has one writer, so a mail that is committed later has a higher one.
public struct FollowMails: Sendable {
  private let database: SQLiteDatabase
  private let mails: MailStore

  public init(database: SQLiteDatabase, mails: MailStore) {
    self.database = database
    self.mails = mails
  }

  /// The sequence of the last mail; 0 before the first.
  public func last() async throws -> Int64 {
    try await database.read { [mails] database in try mails.newest(in: database) }
  }

  /// At most `limit` mails after `sequence`.
  public func callAsFunction(
    after sequence: Int64, limit: Int
  ) async throws -> [(sequence: Int64, mail: Mail)] {
    try await database.read { [mails] database in try mails.written(after: sequence, limit: limit, in: database) }
  }
}

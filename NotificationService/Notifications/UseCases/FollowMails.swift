import MessagingSQLite

/// The mails written since, in the order in which they were written, and a signal for more. A follower that asks again
/// after each signal and goes on where it was misses none and gets none twice.
///
/// SQLite has one writer, so that a mail which is committed later has a higher sequence: the sequence is a place to go
/// on from, also after a reconnection.
public struct FollowMails: Sendable {
  private let database: SQLiteDatabase
  private let mails: MailStore
  private let news: MailNews

  public init(database: SQLiteDatabase, mails: MailStore, news: MailNews) {
    self.database = database
    self.mails = mails
    self.news = news
  }

  /// - Parameter position: where the last step ended; nil to begin with what is written from now on.
  /// - Returns: at most `limit` mails, and the position of the next step.
  public func callAsFunction(
    after position: Int64?, limit: Int
  ) async throws -> (mails: [(sequence: Int64, mail: Mail)], position: Int64) {
    try await database.read { [mails] database in
      guard let position else { return ([], try mails.newest(in: database)) }
      let written = try mails.written(after: position, limit: limit, in: database)
      return (written, written.last?.sequence ?? position)
    }
  }

  /// Has `wake` called whenever this process has written mails, for as long as `body` runs.
  public func wakes(_ wake: @escaping @Sendable () -> Void, during body: () async throws -> Void) async rethrows {
    let listener = news.listen(wake)
    defer { news.forget(listener) }
    try await body()
  }
}

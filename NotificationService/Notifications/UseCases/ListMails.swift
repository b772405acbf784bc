import MessagingSQLite

/// A page of the mails that match a filter, newest first. Pages neither repeat nor skip a mail while others are
/// written: each goes on below the last mail of the one before.
public struct ListMails: Sendable {
  private let database: SQLiteDatabase
  private let mails: MailStore

  public init(database: SQLiteDatabase, mails: MailStore) {
    self.database = database
    self.mails = mails
  }

  /// - Parameter sequence: ``MailPage/next`` of the page before; nil for the first.
  public func callAsFunction(_ filter: MailFilter, before sequence: Int64?, limit: Int) async throws -> MailPage {
    try await database.read { [mails] database in
      try mails.page(of: filter, before: sequence, limit: limit, in: database)
    }
  }
}

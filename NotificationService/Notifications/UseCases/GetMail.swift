import MessagingSQLite

/// A mail as it stands after the last commit.
public struct GetMail: Sendable {
  private let database: SQLiteDatabase
  private let mails: MailStore

  public init(database: SQLiteDatabase, mails: MailStore) {
    self.database = database
    self.mails = mails
  }

  /// - Throws: ``UnknownMail``
  public func callAsFunction(_ id: String) async throws -> Mail {
    try await database.read { [mails] database in
      guard let mail = try mails.find(id, in: database) else { throw UnknownMail(id: id) }
      return mail
    }
  }
}

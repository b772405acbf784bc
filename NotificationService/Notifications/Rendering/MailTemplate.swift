/// The words and the looks of a mail. A template that mails were written for is never changed: a new wording is a new
/// version beside it, so that a mail reads the same for ever.
public struct MailTemplate: Sendable {
  /// Counts 1, 2, 3, ...; stored with each mail.
  public let version: Int
  let render: @Sendable (Mail) -> RenderedMail

  static let all = [MailTemplate(version: 1, render: FirstTemplate.render)]

  /// What new mails are written for.
  public static var current: MailTemplate { all[all.count - 1] }

  /// The template of a stored mail. A version that this program does not have yet (it was started after a newer one)
  /// is rendered with ``current``.
  static func version(_ version: Int) -> MailTemplate {
    all.first { $0.version == version } ?? current
  }
}

/// A mail in words.
public struct RenderedMail: Sendable, Hashable {
  /// One line.
  public var subject: String
  /// Lines end with a line feed.
  public var text: String
  /// A whole document, its lines ending with a line feed.
  public var html: String
}

extension Mail {
  /// The mail in the words of its template: always the same.
  public func rendered() -> RenderedMail {
    MailTemplate.version(templateVersion).render(self)
  }
}

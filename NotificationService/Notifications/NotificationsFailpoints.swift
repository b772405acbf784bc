import FaultInjection

/// The moments of NotificationService at which everything may end.
extension Failpoint {
  /// A mail is written; its transaction is not committed.
  static let mailWriting = Failpoint("mail.writing")
  /// A mailer's claim is committed; nothing is sent.
  static let mailClaimed = Failpoint("mail.claimed")
  /// The mail server has taken a mail; only this process knows it.
  static let mailSending = Failpoint("mail.sending")
  /// A mail is marked as sent.
  static let mailSent = Failpoint("mail.sent")

  /// Every place of this module that each order passes, for the crash matrix.
  package static let notifications: [Failpoint] = [mailWriting]
  /// The places of the ``Mailer``, which are passed where there is a mail server.
  package static let mailer: [Failpoint] = [mailClaimed, mailSending, mailSent]
}

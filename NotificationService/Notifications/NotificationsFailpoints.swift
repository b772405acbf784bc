import FaultInjection

/// The moments of NotificationService at which everything may end.
extension Failpoint {
  /// A mail is in the mailbox; its transaction is not committed.
  static let mailWriting = Failpoint("mail.writing")

  /// Every place of this module, for the crash matrix.
  package static let notifications: [Failpoint] = [mailWriting]
}

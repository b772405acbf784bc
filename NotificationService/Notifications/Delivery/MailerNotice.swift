import Logging

/// What people are told of a mailer.
enum MailerNotice: Sendable, Hashable {
  case sent(Mail)
  case refused(Mail, error: String)
  case failed(Mail, error: String)
  case serverAway(String)
  case serverBack
  case storeAway(String)
  case storeBack
  /// Mails of a process that is gone were found: they may be sent a second time.
  case tookBack(Int)
  /// Mails were taken from this mailer while it had them: they may be sent a second time.
  case claimLost(Int)
}

extension MailerNotice {
  func write(to logger: Logger) {
    switch self {
    case .sent(let mail):
      logger.debug("Mail sent", metadata: Self.metadata(mail))
    case .refused(let mail, let error):
      logger.warning(
        "The mail server does not take a mail now; it is tried again", metadata: Self.metadata(mail, error))
    case .failed(let mail, let error):
      logger.error("A mail has failed for good", metadata: Self.metadata(mail, error))
    case .serverAway(let error):
      logger.warning("The mail server takes no mails; they wait", metadata: ["error": "\(error)"])
    case .serverBack:
      logger.info("The mail server takes mails again")
    case .storeAway(let reason):
      logger.warning("The store does not answer; the mailer waits for it", metadata: ["error": "\(reason)"])
    case .storeBack:
      logger.info("The store answers the mailer again")
    case .tookBack(let count):
      logger.warning(
        "Mails of a process that is gone are sent again, under the same Message-ID", metadata: ["mails": "\(count)"])
    case .claimLost(let count):
      logger.warning(
        "This mailer was so slow that others took its mails; they may arrive twice, under the same Message-ID",
        metadata: ["mails": "\(count)"])
    }
  }

  private static func metadata(_ mail: Mail, _ error: String? = nil) -> Logger.Metadata {
    var metadata: Logger.Metadata = [
      "order_id": "\(mail.orderID)", "event_id": "\(mail.eventID)", "kind": "\(mail.kind.rawValue)",
      "message_id": "\(mail.messageID)", "attempt": "\(mail.delivery.attempts)",
    ]
    if let error { metadata["error"] = "\(error)" }
    return metadata
  }
}

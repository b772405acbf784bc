/// What came of handing a mail to the mail server, and so what to do with it.
enum MailOutcome: Sendable, Hashable {
  /// The server has taken it, and answers for it from now on.
  case taken
  /// This mail was not taken now: it is tried again, and others go on. It may have been taken all the same, where the
  /// connection was lost before the answer.
  case refusedForNow(String)
  /// This mail will never be taken.
  case refusedForGood(String)
  /// No mail can be handed over now. Says nothing about this one, which was not tried.
  case serverAway(String)
  /// It was broken off because this process stops.
  case interrupted

  /// Whether the server was there, and said something of this mail.
  var isAnAnswer: Bool {
    switch self {
    case .taken, .refusedForNow, .refusedForGood: true
    case .serverAway, .interrupted: false
    }
  }
}

/// How far the conversation about a mail had come.
enum SMTPStage: Sendable, Hashable, Comparable {
  /// Connecting, greeting, STARTTLS, AUTH.
  case connection
  /// MAIL FROM
  case sender
  /// RCPT TO
  case recipient
  /// DATA, and the mail itself
  case message
}

extension MailOutcome {
  /// Decides by where the conversation failed, and by the server's last reply (RFC 5321 section 4.2.1: 4xx may pass, 5xx
  /// will not).
  ///
  /// - Parameters:
  ///   - reply: its code; 0 where there was none.
  ///   - explanation: for people.
  init(failedAt stage: SMTPStage, reply: Int, _ explanation: String) {
    switch (stage, reply) {
    // 421: the server closes; 530 and 535: it wants a password, or another one.
    case (.connection, _), (_, 421), (_, 530), (_, 535): self = .serverAway(explanation)
    case (_, 400..<500): self = .refusedForNow(explanation)
    // 552: too large. Anything else that is said of the sender would be said of every mail.
    case (.sender, 552): self = .refusedForGood(explanation)
    case (.sender, _): self = .serverAway(explanation)
    case (_, 500..<600): self = .refusedForGood(explanation)
    default: self = .refusedForNow(explanation)
    }
  }
}

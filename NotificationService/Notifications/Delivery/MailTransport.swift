/// Hands mails to a mail server, one at a time. Blocks; belongs to one thread.
protocol MailTransport: AnyObject {
  func deliver(_ mail: Mail) -> MailOutcome
  /// Lets go of the connection. Nothing is delivered afterwards.
  func close()
}

extension MailTransport {
  func close() {}
}

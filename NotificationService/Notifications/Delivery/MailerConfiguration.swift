import Messaging

/// The times and amounts of a ``Mailer``.
struct MailerConfiguration: Sendable {
  /// Mails on their way at the same time.
  var connections = 4
  /// The most that a connection claims at once.
  var batch = 8
  /// The longest that one mail may take, the connection included.
  var deliveryTimeout: Duration = .seconds(60)
  /// How long a claim lasts: a mail is begun only when it can be finished before the end. Of a process that is known to be
  /// gone, claims end at once.
  var claim: Duration = .seconds(180)
  /// How long a refused mail waits before it is tried again.
  var mailRetry = RetryPolicy(initialBackoff: .seconds(1), maxBackoff: .seconds(300))
  /// A mail that is refused for so long has failed: RFC 5321 section 4.5.4.1 wants four or five days.
  var patience: Duration = .seconds(5 * 86_400)
  /// How long to wait for a mail server or a store that is away.
  var outageRetry = RetryPolicy(initialBackoff: .milliseconds(500), maxBackoff: .seconds(15))
  /// The safety net: how often to look without being woken. Other instances' mails are seen after this time.
  var poll: Duration = .seconds(5)
  /// How long a mail in hand may go on when the service stops.
  var grace: Duration = .seconds(2)
}

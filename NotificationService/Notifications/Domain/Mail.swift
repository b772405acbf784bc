import EventSchema
import WireFormat

/// A mail to a customer about one step of an order: the facts it tells, not its words. Subject, text and HTML are
/// rendered from it when somebody reads, by the template it was written for; see ``MailTemplate``.
public struct Mail: Sendable, Hashable {
  public let id: MailID
  /// The event that the mail tells of. The same event makes the same ``MessageID``, however often it is delivered.
  public let eventID: EventID
  public let orderID: OrderID
  public let customerID: CustomerID
  public let kind: MailKind
  public let items: [OrderItem]
  public let total: Money
  /// Why the order was rejected or cancelled, as the event says it; nil for the other kinds.
  public let reason: String?
  /// The ``MailTemplate/version`` that renders this mail, also after newer templates have come.
  public let templateVersion: Int
  public let delivery: MailDelivery
  public let createdAt: Timestamp

  /// Where the mail goes: a mock address, made from the customer's id.
  public var recipient: MailAddress { MailAddress(localPart: customerID.rawValue, domain: "example.com") }
  public var messageID: MessageID { MessageID(of: eventID) }
}

/// How far a mail has come on its way.
public struct MailDelivery: Sendable, Hashable {
  /// The states of a delivery: `PENDING` -> `SENDING` -> `SENT` | `FAILED`, or back to `PENDING` for another attempt.
  public enum Status: String, Sendable, Hashable, CaseIterable, JSONEncodable {
    /// It waits for a mailer.
    case pending = "PENDING"
    /// A mailer has it in hand.
    case sending = "SENDING"
    /// The mail is where its reader finds it, or the mail server has taken it.
    case sent = "SENT"
    /// The mail server will not take it, or has not for days. Nobody tries again.
    case failed = "FAILED"

    public func write(to json: inout JSONWriter) {
      json.value(rawValue)
    }
  }

  public let status: Status
  /// How often delivery was tried.
  public let attempts: Int
  /// When it succeeded; nil before that.
  public let sentAt: Timestamp?
  /// What came of the last attempt, where it failed.
  public let error: String?

  init(status: Status, attempts: Int, sentAt: Timestamp? = nil, error: String? = nil) {
    self.status = status
    self.attempts = attempts
    self.sentAt = sentAt
    self.error = error
  }

  /// The mock mailbox is the store itself: to write a mail there is to deliver it.
  static func inMockMailbox(at time: Timestamp) -> MailDelivery {
    MailDelivery(status: .sent, attempts: 1, sentAt: time)
  }

  /// Not begun.
  static let pending = MailDelivery(status: .pending, attempts: 0)
}

import EventSchema
import FaultInjection
import MessagingSQLite
import WireFormat

/// Tells a customer of a step of an order: one mail per order and kind. A second event of a kind changes nothing.
public struct NotifyCustomer: Sendable {
  /// Where a new mail goes.
  public enum Way: Sendable {
    /// It is delivered by being written.
    case mockMailbox
    /// A ``Mailer`` takes it from the store.
    case mailer
  }

  private let mails: MailStore
  private let way: Way
  private let news: MailNews
  private let identifiers: UUIDv7Generator
  private let now: @Sendable () -> Timestamp

  public init(
    mails: MailStore, way: Way, news: MailNews, identifiers: UUIDv7Generator, now: @escaping @Sendable () -> Timestamp
  ) {
    self.mails = mails
    self.way = way
    self.news = news
    self.identifiers = identifiers
    self.now = now
  }

  /// Writes in the caller's transaction.
  public func callAsFunction(_ step: OrderStep, in transaction: SQLiteTransaction) throws {
    let now = now()
    let mail = Mail(
      id: MailID(identifiers.next(at: now)), eventID: step.eventID, orderID: step.orderID,
      customerID: step.customerID, kind: step.kind, items: step.items, total: step.total, reason: step.reason,
      templateVersion: MailTemplate.current.version, delivery: way == .mailer ? .pending : .inMockMailbox(at: now),
      createdAt: now)
    try mails.insert(mail, in: transaction)
    transaction.afterCommit(once: news) { [news] in news.announce() }
    try Failpoint.mailWriting.hit(mail.orderID.rawValue)
  }
}

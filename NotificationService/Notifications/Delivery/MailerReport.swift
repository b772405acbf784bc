import Logging
import Metrics
import Synchronization

/// Logs and counts what the lanes of a mailer tell, and an outage once for all of them.
final class MailerReport: Sendable {
  private let logger: Logger
  private let isServerAway = Mutex(false)
  private let sent = Counter(label: "mail_sent_messages_total")
  private let failed = Counter(label: "mail_failed_messages_total")
  private let refused = Counter(label: "mail_refused_attempts_total")
  private let repeated = Counter(label: "mail_repeated_messages_total")
  private let pending = Gauge(label: "mail_pending_messages")
  private let reachable = Gauge(label: "mail_server_reachable")
  private let duration = Metrics.Timer(label: "mail_delivery_duration")

  init(logger: Logger) {
    self.logger = logger
    reachable.record(1)
  }

  func tell(_ notice: MailerNotice) {
    guard isNews(notice) else { return }
    notice.write(to: logger)
    switch notice {
    case .sent: sent.increment()
    case .failed: failed.increment()
    case .refused: refused.increment()
    case .serverAway: reachable.record(0)
    case .serverBack: reachable.record(1)
    case .tookBack(let count), .claimLost(let count): repeated.increment(by: count)
    case .storeAway, .storeBack: break
    }
  }

  func delivered(in time: Duration) {
    duration.record(duration: time)
  }

  func pending(_ count: Int) {
    pending.record(count)
  }

  private func becomes(_ isAway: Bool) -> Bool {
    isServerAway.withLock { state in
      defer { state = isAway }
      return state != isAway
    }
  }

  private func isNews(_ notice: MailerNotice) -> Bool {
    switch notice {
    case .serverAway: becomes(true)
    case .serverBack: becomes(false)
    default: true
    }
  }
}

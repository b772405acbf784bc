import CoreMetrics
import Messaging
import MessagingSQLite
import WireFormat

/// Gauges of what waits in the store, brought up to date whenever somebody looks: what needs a person should not wait for
/// an event to show.
///
/// An age is in seconds, and 0 while nothing waits. A store that does not answer leaves the last values; `/ready` tells of
/// that.
struct BacklogGauges: Sendable {
  private let inbox: SQLiteInbox
  private let outbox: SQLiteOutbox
  private let now: @Sendable () -> Timestamp
  private let openDeadLetters: any RecorderHandler
  private let parked: any RecorderHandler
  private let gaps: any RecorderHandler
  private let oldestGap: any RecorderHandler
  private let unpublished: any RecorderHandler
  private let oldestUnpublished: any RecorderHandler

  init(
    inbox: SQLiteInbox, outbox: SQLiteOutbox, metrics: PrometheusRegistry, now: @escaping @Sendable () -> Timestamp
  ) {
    self.inbox = inbox
    self.outbox = outbox
    self.now = now
    func gauge(_ label: String, _ dimensions: [(String, String)] = []) -> any RecorderHandler {
      metrics.makeRecorder(label: label, dimensions: dimensions, aggregate: false)
    }
    let group = [("group", inbox.group)]
    openDeadLetters = gauge("messaging_open_dead_letters", group)
    parked = gauge("messaging_parked_records", group)
    gaps = gauge("messaging_gaps", group)
    oldestGap = gauge("messaging_oldest_gap_age_seconds", group)
    unpublished = gauge("outbox_unpublished_messages")
    oldestUnpublished = gauge("outbox_oldest_unpublished_age_seconds")
  }

  func refresh() async {
    if let summary = try? await inbox.summary() {
      openDeadLetters.record(Int64(summary.openDeadLetters))
      parked.record(Int64(summary.parkedRecords))
      gaps.record(Int64(summary.gaps))
      oldestGap.record(age(of: summary.oldestGap))
    }
    if let summary = try? await outbox.summary() {
      unpublished.record(Int64(summary.unpublished))
      oldestUnpublished.record(age(of: summary.oldestUnpublished))
    }
  }

  private func age(of moment: Timestamp?) -> Double {
    moment.map { max(0, (now() - $0) / .seconds(1)) } ?? 0
  }
}

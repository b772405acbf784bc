import Synchronization

/// What was asked of OrderService, and what came of it as far as the asker knows. Any thread.
final class ChaosLedger: Sendable {
  /// What the asker knows of a request.
  enum Outcome: Sendable, Hashable {
    /// 201 with this id.
    case accepted(String)
    /// At least one try had no answer, and no other was answered with 201: it is there once or not at all.
    case perhaps
    /// Every try was refused for now (429, 503) or never sent: it is not there.
    case refused
  }

  /// What the asker knows of a cancellation.
  enum Cancellation: Sendable, Hashable {
    /// 200: the order ends CANCELLED.
    case granted
    /// 409: it is REJECTED.
    case tooLate
    case perhaps
  }

  struct Contents: Sendable {
    /// By customer: every order has a customer of its own.
    var orders: [String: Outcome] = [:]
    /// By order id; one that was granted stays granted.
    var cancellations: [String: Cancellation] = [:]
    /// Tries that were refused for now, by their status.
    var refusals: [Int: Int] = [:]
    /// Tries that had no answer, though a connection was there.
    var unanswered = 0
    /// Answers that no request should have got.
    var wrongAnswers = Offenders()

    var accepted: Int { orders.values.count { if case .accepted = $0 { true } else { false } } }
    var perhaps: Int { orders.values.count { $0 == .perhaps } }
    var refused: Int { orders.values.count { $0 == .refused } }
    var granted: Int { cancellations.values.count { $0 == .granted } }
  }

  private let contents = Mutex(Contents())

  var now: Contents { contents.withLock { $0 } }

  func note(_ outcome: Outcome, of customer: String) {
    contents.withLock { $0.orders[customer] = outcome }
  }

  func noteCancellation(_ cancellation: Cancellation, of order: String) {
    contents.withLock { contents in
      guard contents.cancellations[order] != .granted else { return }
      contents.cancellations[order] = cancellation
    }
  }

  func noteRefusal(_ status: Int) {
    contents.withLock { $0.refusals[status, default: 0] += 1 }
  }

  func noteUnanswered() {
    contents.withLock { $0.unanswered += 1 }
  }

  func noteWrongAnswer(_ text: String) {
    contents.withLock { $0.wrongAnswers.add(text) }
  }
}

/// Compares the ledger with the orders that are there in the end.
enum LedgerIsKept {
  struct Order: Sendable, Hashable {
    var id: String
    var customer: String
    var status: String
  }

  static func check(_ ledger: ChaosLedger.Contents, _ orders: [Order], number: Int) -> Finding {
    var offenders = ledger.wrongAnswers
    let byCustomer = Dictionary(grouping: orders, by: \.customer)
    for (customer, outcome) in ledger.orders.sorted(by: { $0.key < $1.key }) {
      let found = byCustomer[customer] ?? []
      switch outcome {
      case .accepted(let id):
        if !found.contains(where: { $0.id == id }) { offenders.add("order \(id) was accepted and is not there") }
      case .refused:
        for order in found { offenders.add("order \(order.id) was refused and is there") }
      case .perhaps: break
      }
      if found.count > 1 {
        offenders.add("one request made \(found.count) orders: \(found.map(\.id).joined(separator: ", "))")
      }
    }
    let byID = Dictionary(orders.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    for (id, cancellation) in ledger.cancellations.sorted(by: { $0.key < $1.key }) {
      let status = byID[id]?.status ?? "not there"
      if cancellation == .granted, status != "CANCELLED" { offenders.add("order \(id) was cancelled and is \(status)") }
      if cancellation == .tooLate, status != "REJECTED" {
        offenders.add("order \(id) could not be cancelled any more and is \(status)")
      }
    }
    for order in orders where ledger.orders[order.customer] == nil {
      offenders.add("order \(order.id) of \(order.customer) was asked for by nobody")
    }
    let there = ledger.orders.count { $0.value == .perhaps && byCustomer[$0.key] != nil }
    return Finding(
      number: number, title: "What was answered is so: accepted once, refused not at all, cancelled for good",
      figure:
        "\(ledger.accepted.grouped) accepted, \(ledger.perhaps.grouped) perhaps (\(there.grouped) of them there), "
        + "\(ledger.refused.grouped) refused; \(ledger.granted.grouped) cancelled",
      offenders: offenders)
  }
}

import WireFormat

/// Follows accepted orders to their end: their verdict, their reservation, their last mail.
///
/// It asks little: OrderService is asked to say when an order that is pending has settled, and every list is read from
/// its newest row down to the first that has been seen already, so that each row is read once.
struct LoadFollower: Sendable {
  let services: Services
  /// How long nothing may happen before what is missing counts as lost.
  let patience: Duration

  /// The clocks of the services may differ by this much.
  private static let clockTolerance = Duration.seconds(10)
  private static let pause = Duration.milliseconds(200)

  func follow(_ accepted: [PlacedOrder]) async throws -> LoadEnds {
    guard let first = accepted.map(\.createdAt).min() else { return LoadEnds() }
    let since = first - Self.clockTolerance
    var ends = LoadEnds(accepted: accepted)
    try await waitUntilSettled(ends)
    try await readOrders(into: &ends, since: since)
    var reservations = NewestFirst(
      services.inventory, "/reservations", member: "reservations", id: "reservation_id")
    try await gather(
      "reservations", ends.orders.values.count { $0.needsReservation }, from: &reservations, into: &ends, since: since
    ) { row, ends in
      ends.orders[try row.text("order_id")]?.reservedAt = try row.timestamp("created_at")
    } isMissing: {
      $0.needsReservation && $0.reservedAt == nil
    }
    var mails = NewestFirst(services.notification, "/emails", member: "emails", id: "email_id")
    try await gather(
      "final mails", ends.orders.values.count { $0.finalMail != nil }, from: &mails, into: &ends, since: since
    ) { row, ends in
      let order = try row.text("order_id")
      guard let end = ends.orders[order], try row.text("kind") == end.finalMail else { return }
      // In the mock mailbox a mail is sent when it is stored; to a mail server it goes after that.
      ends.orders[order]?.mailedAt = try row.optionalTimestamp("sent_at")
      ends.orders[order]?.mail = try row.text("email_id")
    } isMissing: {
      $0.finalMail != nil && $0.mail == nil
    }
    try await waitUntilSent(&ends)
    return ends
  }

  /// Asks for those mails that were not sent yet when they were read, one at a time: they go out in about their order.
  private func waitUntilSent(_ ends: inout LoadEnds) async throws {
    let waiting = ends.orders.filter { $0.value.mail != nil && $0.value.mailedAt == nil }
      .sorted { $0.value.createdAt < $1.value.createdAt }
    guard !waiting.isEmpty else { return }
    let bar = ProgressBar("mails sent", of: waiting.count)
    defer { bar.clear() }
    var deadline = ContinuousClock.now + patience
    for (index, (order, end)) in waiting.enumerated() {
      while true {
        let mail = try await services.notification.get("/emails/\(end.mail ?? "")")
        if let sentAt = mail["sent_at"]?.string.flatMap(Timestamp.init(rfc3339:)) {
          ends.orders[order]?.mailedAt = sentAt
          deadline = .now + patience
          break
        }
        guard .now < deadline else { break }
        bar.show(index)
        try await Task.sleep(for: Self.pause)
      }
    }
  }

  /// Waits for one pending order after the other; whatever settles meanwhile needs no wait of its own.
  private func waitUntilSettled(_ ends: LoadEnds) async throws {
    let bar = ProgressBar("settling", of: ends.orders.count)
    defer { bar.clear() }
    var fewest = Int.max
    var deadline = ContinuousClock.now + patience
    while true {
      let pending = try await pendingOrders(of: ends)
      guard let newest = pending.ids.first else { return }
      if pending.ids.count < fewest || pending.isMore { deadline = .now + patience }
      fewest = min(fewest, pending.ids.count)
      guard .now < deadline else { return }
      bar.show(ends.orders.count - pending.ids.count, pending.isMore ? "or fewer" : "")
      _ = try await services.order.get(
        "/orders/\(newest)", query: [("wait", "5"), ("until", "settled")], timeout: .seconds(35))
    }
  }

  /// Those of our orders that are pending, the newest first; at most five pages of them.
  private func pendingOrders(of ends: LoadEnds) async throws -> (ids: [String], isMore: Bool) {
    var ids: [String] = []
    var cursor: String?
    var pages = 0
    repeat {
      let page = try await services.order.get(
        "/orders", query: [("status", "PENDING"), ("limit", "1000")] + (cursor.map { [("cursor", $0)] } ?? []))
      ids += (page["orders"]?.array ?? []).compactMap { $0.object?["order_id"]?.string }
        .filter { ends.orders[$0] != nil }
      cursor = page["next_cursor"]?.string
      pages += 1
    } while cursor != nil && (pages < 5 || ids.isEmpty)
    return (ids, cursor != nil)
  }

  private func readOrders(into ends: inout LoadEnds, since: Timestamp) async throws {
    var list = NewestFirst(services.order, "/orders", member: "orders", id: "order_id")
    for row in try await list.readNew(createdSince: since) {
      let id = try row.text("order_id")
      guard ends.orders[id] != nil else { continue }
      ends.orders[id]?.status = try row.text("status")
      ends.orders[id]?.settledAt = try row.timestamp("updated_at")
    }
  }

  private func gather(
    _ what: String, _ total: Int, from list: inout NewestFirst, into ends: inout LoadEnds, since: Timestamp,
    _ take: (Row, inout LoadEnds) throws -> Void, isMissing: (LoadEnds.Order) -> Bool
  ) async throws {
    let bar = ProgressBar(what, of: total)
    defer { bar.clear() }
    var fewest = Int.max
    var deadline = ContinuousClock.now + patience
    while true {
      for row in try await list.readNew(createdSince: since) { try take(row, &ends) }
      let missing = ends.orders.values.count(where: isMissing)
      if missing < fewest { deadline = .now + patience }
      fewest = min(fewest, missing)
      guard missing > 0, .now < deadline else { return }
      bar.show(total - missing)
      try await Task.sleep(for: Self.pause)
    }
  }
}

/// Where the accepted orders have come to.
struct LoadEnds: Sendable {
  struct Order: Sendable, Hashable {
    var createdAt: Timestamp
    /// Nil while OrderService does not list it.
    var status: String?
    var settledAt: Timestamp?
    var reservedAt: Timestamp?
    /// The final mail's id, once it is stored.
    var mail: String?
    var mailedAt: Timestamp?

    /// The kind of mail that is the last one; nil before the end.
    var finalMail: String? { status.flatMap { $0 == "PENDING" ? nil : "ORDER_\($0)" } }
    /// An order that was cancelled at once may never get one.
    var needsReservation: Bool { status == "CONFIRMED" || status == "REJECTED" }
  }

  var orders: [String: Order] = [:]

  init() {}

  init(accepted: [PlacedOrder]) {
    orders = Dictionary(accepted.map { ($0.id, Order(createdAt: $0.createdAt)) }, uniquingKeysWith: { $1 })
  }

  /// What did not happen, in words.
  var missing: Offenders {
    var missing = Offenders()
    for (id, order) in orders.sorted(by: { $0.key < $1.key }) {
      switch order.status {
      case nil: missing.add("order \(id) was accepted and is not there")
      case "PENDING": missing.add("order \(id) is still PENDING")
      default:
        if order.needsReservation, order.reservedAt == nil { missing.add("order \(id) has no reservation") }
        if order.mailedAt == nil {
          let fault = order.mail == nil ? "has no mail" : "waits for the sending of its mail"
          missing.add("order \(id) \(fault) \(order.finalMail ?? "")")
        }
      }
    }
    return missing
  }
}

extension Row {
  func timestamp(_ name: String) throws(Failure) -> Timestamp {
    guard let time = Timestamp(rfc3339: try text(name)) else {
      throw Failure("\(list) have a row whose \(name) is not a time")
    }
    return time
  }

  func optionalTimestamp(_ name: String) throws(Failure) -> Timestamp? {
    optionalText(name) == nil ? nil : try timestamp(name)
  }
}

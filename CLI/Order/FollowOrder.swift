import WireFormat

/// Follows an order to its end: its reservation, its verdict and its mails, each told as it happens.
///
/// OrderService is asked by its long poll. The other two have none, so they are asked again after a short, growing
/// pause.
struct FollowOrder: Sendable {
  let services: Services
  let orderID: String
  let steps: OrderSteps
  let timeout: Duration

  /// How the order ended.
  struct End: Sendable, Hashable {
    var order: JSONObject
    var reservation: JSONObject?
    var mails: [JSONObject]

    var isConfirmed: Bool { order["status"]?.string == "CONFIRMED" }
  }

  /// - Throws: ``Failure`` naming what has not happened within the timeout, or the service that does not answer.
  func callAsFunction() async throws -> End {
    let deadline = ContinuousClock.now + timeout
    async let reservation = reservation(until: deadline)
    async let firstMail = mail("ORDER_CREATED", until: deadline)
    let order = try await settledOrder(until: deadline)
    let status = order["status"]?.string ?? ""
    // An order that was cancelled at once may never get a reservation; any other had it before its verdict.
    let made = status == "CANCELLED" ? nil : try await reservation
    let reason = order["reason"]?.string.map { ": \($0)" } ?? ""
    steps.happened(status.lowercased(), "order \(orderID)\(reason)", status == "CONFIRMED" ? .green : .red)
    let mails = [try await firstMail, try await mail("ORDER_\(status)", until: deadline)]
    return End(order: order, reservation: made, mails: mails)
  }

  private func settledOrder(until deadline: ContinuousClock.Instant) async throws -> JSONObject {
    while true {
      let left = deadline - .now
      let wait = max(0, min(30, Int(left.components.seconds) + 1))
      let order = try await services.order.get(
        "/orders/\(orderID)", query: [("wait", String(wait)), ("until", "settled")], timeout: .seconds(wait + 10))
      if order["status"]?.string != "PENDING" { return order }
      guard .now < deadline else { throw Failure("order \(orderID) is still PENDING after \(timeout.brief)") }
    }
  }

  private func reservation(until deadline: ContinuousClock.Instant) async throws -> JSONObject {
    let reservation = try await ask("reservation", until: deadline) {
      try await services.inventory.find("/reservations/\(orderID)")
    }
    let id = reservation["reservation_id"]?.string ?? ""
    if reservation["status"]?.string == "REJECTED" {
      steps.happened("refused", "reservation \(id): \(reservation["reason"]?.string ?? "")", .red)
    } else {
      steps.happened("reserved", "reservation \(id)", .green)
    }
    return reservation
  }

  private func mail(_ kind: String, until deadline: ContinuousClock.Instant) async throws -> JSONObject {
    let mail = try await ask("mail \(kind)", until: deadline) {
      let page = try await services.notification.get("/emails", query: [("order_id", orderID)])
      return (page["emails"]?.array ?? []).compactMap(\.object).first { $0["kind"]?.string == kind }
    }
    steps.happened("mail", "\(kind) to \(mail["to"]?.string ?? "?"): \(mail["subject"]?.string ?? "")", .cyan)
    return mail
  }

  private func ask(
    _ what: String, until deadline: ContinuousClock.Instant, _ find: () async throws -> JSONObject?
  ) async throws -> JSONObject {
    var pause = Duration.milliseconds(10)
    while true {
      if let found = try await find() { return found }
      guard .now < deadline else { throw Failure("there is no \(what) for order \(orderID) after \(timeout.brief)") }
      try await Task.sleep(for: pause)
      pause = min(pause * 2, .milliseconds(250))
    }
  }
}

import Hummingbird
import Messaging
import MessagingSQLite

/// What every service answers to those who operate it.
struct OperationsRoutes: Sendable {
  let identity: ServiceIdentity
  let checks: [ReadinessCheck]
  let outbox: SQLiteOutbox
  let inbox: SQLiteInbox
  let kafka: @Sendable () -> KafkaState
  let consumer: @Sendable () -> ConsumerReport
  let relay: @Sendable () -> RelayReport
  let metrics: PrometheusRegistry

  func add(to router: ServiceRouter) {
    router.get("/health") { _, _ in Response.json(Health(service: identity.name)) }
    router.get("/ready") { _, _ in try await ready() }
    router.get("/metrics") { _, _ in
      Response.text(metrics.render(), contentType: PrometheusText.contentType)
    }
    router.get("/consumers") { _, _ in Response.json(ConsumersReport(consumers: [consumer()])) }
    router.get("/outbox") { request, _ in try await listOutbox(request) }
    router.get("/dead-letters") { request, _ in try await listDeadLetters(request) }
    router.get("/parked") { request, _ in try await listParked(request) }
  }

  private func ready() async throws -> Response {
    var results: [(name: String, reason: String?)] = []
    for check in checks { results.append((check.name, await check.check())) }
    let kafka = kafka()
    if !identity.worksWithoutBroker { results.append(("kafka", kafka.whyNotConsuming)) }
    let report = ReadinessReport(service: identity.name, results: results, kafka: kafka)
    guard report.isReady else { throw report.problem }
    return .json(report)
  }

  private func listOutbox(_ request: Request) async throws -> Response {
    var query = request.query()
    let limit = query.limit()
    let order = query.text("order_id", length: 1...256)
    let state = query.choice("status", of: OutboxRowState.self)
    let cursor = query.position(in: "outbox")
    try query.check()
    let rows = try await outbox.entries(
      matching: OutboxFilter(key: order, isPublished: state.map { $0 == .published }), before: cursor, limit: limit + 1)
    let summary = try await outbox.summary()
    let page = Page(
      "rows", rows.prefix(limit).map(OutboxRowJSON.init),
      next: rows.count > limit ? PageCursor(list: "outbox", position: rows[limit - 1].sequence) : nil)
    return .json(OutboxReport(summary: summary, relay: relay(), page: page))
  }

  private func listDeadLetters(_ request: Request) async throws -> Response {
    var query = request.query()
    let limit = query.limit()
    let filter = DeadLetterFilter(
      status: query.choice("status"), key: query.text("key", length: 1...256),
      error: query.text("error", length: 1...500))
    let cursor = query.position(in: "dead-letters")
    try query.check()
    let letters = try await inbox.deadLetters(matching: filter, before: cursor, limit: limit + 1)
    return .json(
      Page(
        "dead_letters", letters.prefix(limit).map(DeadLetterJSON.init),
        next: letters.count > limit ? PageCursor(list: "dead-letters", position: letters[limit - 1].id) : nil))
  }

  private func listParked(_ request: Request) async throws -> Response {
    var query = request.query()
    let limit = query.limit()
    let order = query.text("order_id", length: 1...256)
    let position = query.cursor(of: "parked").flatMap { cursor -> ParkedPosition? in
      guard cursor.parts.count == 3, let version = Int64(cursor.parts[1]) else { return nil }
      return ParkedPosition(key: cursor.parts[0], version: version, eventID: cursor.parts[2])
    }
    try query.check()
    let records = try await inbox.parked(ofKey: order, after: position, limit: limit + 1)
    let last = records.count > limit ? ParkedPosition(records[limit - 1]) : nil
    return .json(
      Page(
        "parked", records.prefix(limit).map(ParkedJSON.init),
        next: last.map { PageCursor(list: "parked", parts: [$0.key, "\($0.version)", $0.eventID]) }))
  }
}

private enum OutboxRowState: String, CaseIterable {
  case published, unpublished
}

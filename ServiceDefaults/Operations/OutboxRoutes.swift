import HTTPTypes
import Hummingbird
import Messaging
import MessagingSQLite
import WireFormat

/// `/outbox`: what the service has to tell the world, what it told, and telling it again.
struct OutboxRoutes: Sendable {
  let outbox: SQLiteOutbox
  let relay: @Sendable () -> RelayReport
  /// The wall clock.
  let now: @Sendable () -> Timestamp

  func add(to router: ServiceRouter) {
    router.get("/outbox") { request, _ in try await list(request) }
    router.post("/outbox/replay") { request, context in try await replay(request, context) }
  }

  private func list(_ request: Request) async throws -> Response {
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

  /// One step of a replay, a transaction of its own; the cursor leads to the next. A step with limit 0 only begins a
  /// replay: what is published from then on is not part of it.
  private func replay(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
    var fields = FieldValidator(try await request.jsonObject(allowingEmpty: true))
    let since = fields.optionalTimestamp("since")
    let order = fields.optionalString("order_id", length: 1...256)
    let limit = fields.optionalInteger("limit", in: 0...10_000) ?? 1000
    let isDryRun = fields.optionalFlag("dry_run") ?? false
    let cursor = fields.optionalCursor("cursor", of: Self.replayList)
    let begin = cursor.map { ReplayCursor($0) } ?? ReplayCursor(sequence: 0, begunAt: now())
    if begin == nil { fields.refuse("cursor", "is no cursor of this list") }
    try fields.check()
    guard let begin else { throw Problem.unprocessable([]) }
    if limit == 0 { return .json(ReplayAnswer(rows: 0, isDryRun: isDryRun, next: begin.page)) }

    // What this replay itself has published again is not published a third time. The clock counts in milliseconds.
    let selection = ReplaySelection(since: since, key: order, publishedBefore: begin.begunAt + .milliseconds(1))
    let step = try await outbox.replay(selection, after: begin.sequence, limit: limit, isDryRun: isDryRun)
    if !isDryRun, step.rows > 0 {
      context.logger.notice(
        "Outbox rows are published again", metadata: ["rows": "\(step.rows)", "requester": "\(context.requester)"])
    }
    let next = step.next.map { ReplayCursor(sequence: $0, begunAt: begin.begunAt).page }
    return .json(ReplayAnswer(rows: step.rows, isDryRun: isDryRun, next: next))
  }

  fileprivate static let replayList = "outbox-replay"
}

private enum OutboxRowState: String, CaseIterable {
  case published, unpublished
}

/// Where a replay goes on, and when it began.
private struct ReplayCursor {
  var sequence: Int64
  var begunAt: Timestamp

  init(sequence: Int64, begunAt: Timestamp) {
    self.sequence = sequence
    self.begunAt = begunAt
  }

  init?(_ cursor: PageCursor) {
    guard cursor.parts.count == 2, let sequence = Int64(cursor.parts[0]), let moment = Int64(cursor.parts[1]) else {
      return nil
    }
    self.init(sequence: sequence, begunAt: Timestamp(millisecondsSinceEpoch: moment))
  }

  var page: PageCursor {
    PageCursor(list: OutboxRoutes.replayList, parts: ["\(sequence)", "\(begunAt.millisecondsSinceEpoch)"])
  }
}

private struct ReplayAnswer: JSONEncodable {
  var rows: Int
  var isDryRun: Bool
  var next: PageCursor?

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("rows", rows)
      json.member("dry_run", isDryRun)
      json.member("next_cursor", next?.text)
    }
  }
}

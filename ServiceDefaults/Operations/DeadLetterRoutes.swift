import HTTPTypes
import Hummingbird
import Messaging
import MessagingSQLite
import WireFormat

/// `/dead-letters` and `/parked`: what the service's group has given up, what waits, and what people do about it.
///
/// Each change names its requester in an audit row, and is in effect once however often it is asked for.
struct DeadLetterRoutes: Sendable {
  let inbox: SQLiteInbox
  let redrive: @Sendable (Int64, Requester) async throws -> RedriveOutcome?
  let discard: @Sendable (Int64, Requester) async throws -> DiscardOutcome?
  let discardGap: @Sendable (String, Requester) async throws -> GapDiscardOutcome?

  func add(to router: ServiceRouter) {
    router.get("/dead-letters") { request, _ in try await list(request) }
    router.get("/dead-letters/:id") { _, context in try await get(context) }
    router.post("/dead-letters/:id/redrive") { request, context in try await redrive(request, context) }
    router.post("/dead-letters/:id/discard") { request, context in try await discard(request, context) }
    router.get("/parked") { request, _ in try await listParked(request) }
    router.post("/parked/:key/discard") { request, context in try await discardGap(request, context) }
  }

  private func list(_ request: Request) async throws -> Response {
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

  private func get(_ context: ServiceRequestContext) async throws -> Response {
    try await .json(DeadLetterDetailJSON(detail: detail(context.deadLetterID())))
  }

  private func redrive(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
    let id = try context.deadLetterID()
    var fields = FieldValidator(try await request.jsonObject(allowingEmpty: true))
    let reason = fields.optionalString("reason", length: Self.reasonLength)
    try fields.check()

    guard let outcome = try await redrive(id, Requester(name: context.requester, reason: reason)) else {
      throw Problem.noDeadLetter
    }
    context.logger.notice(
      "Redrive of a dead letter",
      metadata: ["dead_letter_id": "\(id)", "requester": "\(context.requester)", "outcome": "\(outcome.name)"])
    let letter = try await detail(id).entry
    guard outcome != .discarded else {
      throw Problem.conflict("It was discarded\(letter.reason.map { ": \($0)" } ?? ""). Nobody handles it any more.")
    }
    return .json(DeadLetterAnswer(outcome: outcome.name, letter: letter))
  }

  private func discard(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
    let id = try context.deadLetterID()
    let requester = try await context.requester(givingReasonIn: request)

    guard let outcome = try await discard(id, requester) else { throw Problem.noDeadLetter }
    context.logger.notice(
      "Discard of a dead letter",
      metadata: ["dead_letter_id": "\(id)", "requester": "\(context.requester)", "outcome": "\(outcome.name)"])
    guard outcome != .alreadyResolved else {
      throw Problem.conflict("It was redriven with success: it has been handled.")
    }
    return try await .json(DeadLetterAnswer(outcome: outcome.name, letter: detail(id).entry))
  }

  private func detail(_ id: Int64) async throws -> DeadLetterDetail {
    guard let detail = try await inbox.deadLetter(id: id) else { throw Problem.noDeadLetter }
    return detail
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

  private func discardGap(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
    guard let key = context.capture("key"), !key.isEmpty else { throw Problem.nothingParked }
    let requester = try await context.requester(givingReasonIn: request)

    guard let outcome = try await discardGap(key, requester) else { throw Problem.nothingParked }
    context.logger.notice(
      "Discard of a gap",
      metadata: ["order_id": "\(key)", "requester": "\(context.requester)", "outcome": "\(outcome)"])
    if case .deadLetterInTheWay(let id) = outcome { throw Problem.deadLetterInTheWay(id) }
    return .json(GapAnswer(key: key, outcome: outcome))
  }

  static let reasonLength = 1...500
}

extension ServiceRequestContext {
  fileprivate func deadLetterID() throws(Problem) -> Int64 {
    guard let id = capture("id").flatMap({ Int64($0) }) else { throw .noDeadLetter }
    return id
  }

  /// Who asks, with the reason that the body has to give.
  fileprivate func requester(givingReasonIn request: Request) async throws -> Requester {
    var fields = FieldValidator(try await request.jsonObject())
    let reason = fields.string("reason", length: DeadLetterRoutes.reasonLength)
    try fields.check()
    return Requester(name: requester, reason: reason)
  }
}

extension Problem {
  fileprivate static let noDeadLetter = Problem.notFound("There is no dead letter with this id.")
  fileprivate static let nothingParked = Problem.notFound("Nothing is parked under this key.")

  fileprivate static func deadLetterInTheWay(_ id: Int64) -> Problem {
    var problem = Problem.conflict("The version that is waited for is dead letter \(id): redrive or discard that.")
    problem.extensions = [("dead_letter_id", id.jsonBytes)]
    return problem
  }
}

extension RedriveOutcome {
  fileprivate var name: String {
    switch self {
    case .resolved: "resolved"
    case .failedAgain: "failed_again"
    case .alreadyResolved: "already_resolved"
    case .discarded: "discarded"
    }
  }
}

extension DiscardOutcome {
  fileprivate var name: String {
    switch self {
    case .discarded: "discarded"
    case .alreadyDiscarded: "already_discarded"
    case .alreadyResolved: "already_resolved"
    }
  }
}

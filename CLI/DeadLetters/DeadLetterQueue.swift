import WireFormat

/// The dead letters of one consumer group, and what it has parked, through the routes of its service.
struct DeadLetterQueue: Sendable {
  let group: String
  let service: ServiceClient

  /// What came of a request about one dead letter or gap.
  enum Outcome: String, Sendable, Hashable, CaseIterable {
    case resolved
    case failedAgain = "failed_again"
    case alreadyResolved = "already_resolved"
    case discarded
    case alreadyDiscarded = "already_discarded"
    /// Nobody has ever had it, or its retention is over.
    case gone
  }

  /// Which dead letters; what is nil does not matter.
  struct Filter: Sendable, Hashable {
    var status: String?
    var key: String?
    var error: String?
  }

  /// Oldest first, so that an order's events are dealt with in the order in which they came.
  func letters(_ filter: Filter) async throws -> [ListedDeadLetter] {
    let query = [("status", filter.status), ("key", filter.key), ("error", filter.error)]
      .compactMap { name, value in value.map { (name: name, value: $0) } }
    var letters: [ListedDeadLetter] = []
    try await service.pages("/dead-letters", query: query, member: "dead_letters") { rows in
      for row in rows { letters.append(try ListedDeadLetter(row, of: self)) }
    }
    return letters.reversed()
  }

  /// With its exact record; nil where there is none.
  func letter(_ id: Int64) async throws -> ListedDeadLetter? {
    guard let row = try await service.find("/dead-letters/\(id)") else { return nil }
    return try ListedDeadLetter(row, of: self)
  }

  /// By order.
  ///
  /// - Parameter key: nil for all orders.
  func parked(ofKey key: String? = nil) async throws -> [ParkedOrder] {
    var orders: [ParkedOrder] = []
    let query = key.map { [(name: "order_id", value: $0)] } ?? []
    try await service.pages("/parked", query: query, member: "parked") { rows in
      try ParkedOrder.collect(rows, of: group, into: &orders)
    }
    return orders
  }

  // MARK: What changes something; each may be asked for again

  /// - Returns: what came of it, and why where it failed again.
  func redrive(_ id: Int64, reason: String? = nil) async throws -> (outcome: Outcome, error: String?) {
    let answer = try await ask("/dead-letters/\(id)/redrive", reason: reason)
    switch answer.status {
    case 404: return (.gone, nil)
    case 409: return (.discarded, nil)
    default:
      let (outcome, body) = try outcome(of: answer)
      return (outcome, outcome == .failedAgain ? body["dead_letter"]?.object?["error"]?.string : nil)
    }
  }

  func discard(_ id: Int64, reason: String) async throws -> Outcome {
    let answer = try await ask("/dead-letters/\(id)/discard", reason: reason)
    switch answer.status {
    case 404: return .gone
    case 409: return .alreadyResolved
    default: return try outcome(of: answer).0
    }
  }

  /// Gives up the versions that `key` waits for.
  ///
  /// - Returns: those versions, as the service names them; nil where nothing was missing.
  func discardGap(ofKey key: String, reason: String) async throws -> String? {
    let answer = try await ask("/parked/\(ServiceClient.segment(key))/discard", reason: reason)
    if answer.status == 404 { return nil }
    guard answer.isSuccess, let body = answer.object else { throw refusal(answer) }
    guard let first = body["first_version"]?.number?.int64, let last = body["last_version"]?.number?.int64 else {
      return nil
    }
    return first == last ? "version \(first)" : "versions \(first) to \(last)"
  }

  /// A redrive has up to three attempts with pauses between, in the service's own time.
  private static let timeout = Duration.seconds(300)

  private func ask(_ path: String, reason: String?) async throws -> ServiceClient.Answer {
    try await service.sendPatiently("POST", path, body: Reason(text: reason).jsonBytes, timeout: Self.timeout)
  }

  private func outcome(of answer: ServiceClient.Answer) throws -> (Outcome, JSONObject) {
    guard answer.isSuccess, let body = answer.object,
      let outcome = body["outcome"]?.string.flatMap(Outcome.init(rawValue:))
    else { throw refusal(answer) }
    return (outcome, body)
  }

  private func refusal(_ answer: ServiceClient.Answer) -> Failure {
    Failure("\(group): \(service.name) answered with \(answer.problem)")
  }
}

private struct Reason: JSONEncodable {
  var text: String?

  func write(to json: inout JSONWriter) {
    json.object { json in
      if let text { json.member("reason", text) }
    }
  }
}

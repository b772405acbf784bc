import GRDB
import Messaging
import WireFormat

/// What processes had at hand when they died. A store in memory has no processes but one, and no marks.
extension SQLiteInbox {
  public func hasAtHand(_ subject: HandlingSubject?) {
    database.handling?.mark(subject, group: group)
  }

  public func collectDeaths() throws -> [HandlingDeath] {
    guard let handling = database.handling else { return [] }
    handling.open()
    let leftovers = handling.leftovers()
    defer { for leftover in leftovers { leftover.letGo() } }
    let deaths = leftovers.compactMap { leftover in
      leftover.content.map { ($0.group, HandlingDeath(subject: $0.subject, process: leftover.name)) }
    }
    let counted = deaths.isEmpty ? [] : try count(deaths)
    // Only now: a death that is found again because this process ends here counts once all the same.
    for leftover in leftovers { leftover.remove() }
    return counted
  }

  /// - Returns: those that were somebody's attempt.
  private func count(_ deaths: [(group: String, death: HandlingDeath)]) throws -> [HandlingDeath] {
    try database.writeBlocking { transaction in
      try deaths.filter { group, death in try inbox(of: group).count(death, in: transaction) }.map(\.death)
    }
  }

  /// A process may use one store for several groups.
  private func inbox(of group: String) -> SQLiteInbox {
    SQLiteInbox(
      database: database, group: group, outbox: outbox, maximumDeadLetterBytes: maximumDeadLetterBytes, now: now)
  }

  /// - Returns: false where its transaction was committed before the end came, or where it is counted already.
  func count(_ death: HandlingDeath, in transaction: SQLiteTransaction) throws -> Bool {
    switch death.subject {
    case .event(let id):
      guard [nil, .parked].contains(try outcome(ofEvent: id, in: transaction)) else { return false }
    case .record(let cluster, let partition, let offset):
      let next = try transaction.database.firstRow(
        Self.nextOffset, [group, cluster, partition.topic, partition.partition]
      ) { $0[0] as Int64 }
      guard next ?? .min <= offset else { return false }
    case .redrive(let id, let redrives, let attempt, let requester):
      return try failRedrive(id, after: redrives, attempt: attempt, by: requester, in: transaction)
    }
    try transaction.database.cachedStatement(sql: Self.death)
      .execute(arguments: [group, death.subject.name, death.process, now().millisecondsSinceEpoch])
    return transaction.database.changesCount == 1
  }

  private func failRedrive(
    _ id: Int64, after redrives: Int, attempt: Int, by requester: Requester, in transaction: SQLiteTransaction
  ) throws -> Bool {
    guard let kept = try deadLetter(id, in: transaction), kept.status == .open, kept.letter.redrives == redrives
    else { return false }
    var letter = kept.letter
    letter.redrives += 1
    letter.attempts = attempt
    letter.error = "the process died while handling it"
    letter.failedAt = now()
    try renew(id, as: letter, in: transaction)
    try record(
      DeadLetterAudit(
        .redrive, .failedAgain, by: requester, at: now(), deadLetterID: id, key: letter.key, detail: letter.error),
      in: transaction)
    return true
  }

  public func crashedAttempts(in transaction: SQLiteTransaction) throws -> CrashedAttempts {
    var deaths: [String: Int] = [:]
    try transaction.forEach(Self.deaths, group) { deaths[$0.text(0)] = Int($0.integer(1)) }
    return CrashedAttempts(deaths)
  }

  public func forgetDeaths(of subject: HandlingSubject, in transaction: SQLiteTransaction) throws {
    try transaction.database.cachedStatement(sql: Self.forgetting).execute(arguments: [group, subject.name])
  }

  private static let nextOffset = """
    SELECT next_offset FROM next_offsets WHERE consumer_group = ? AND cluster_id = ? AND topic = ? AND partition = ?
    """

  private static let death = """
    INSERT INTO crashed_attempts (consumer_group, subject, process, found_at) VALUES (?, ?, ?, ?)
    ON CONFLICT DO NOTHING
    """

  private static let deaths = PreparedSQL(
    "SELECT subject, COUNT(*) FROM crashed_attempts WHERE consumer_group = ? GROUP BY subject")

  private static let forgetting = "DELETE FROM crashed_attempts WHERE consumer_group = ? AND subject = ?"
}

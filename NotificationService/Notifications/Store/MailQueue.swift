import EventSchema
import Messaging
import MessagingSQLite
import WireFormat

/// The mails of a store that have to be delivered, shared by all mailers of all processes that have it open.
///
/// A mailer claims mails, delivers them, and settles what came of it; each is one synced transaction. A claim keeps
/// others away until it ends or its process is gone; a mailer that has lost a claim settles nothing. Of an order, one
/// mail is due at a time: the next one becomes due when the one before it is sent or has failed.
///
/// Threads: every member blocks its thread.
struct MailQueue: Sendable {
  /// The due time of a mail that waits for an earlier one of its order.
  static let behindAnother = Int64.max

  let database: SQLiteDatabase

  /// Claims up to `limit` mails that are due, those first that have waited longest.
  ///
  /// - Parameter end: when others may take them.
  func claim(for claimant: MailClaimant, limit: Int, at now: Timestamp, until end: Timestamp) throws -> MailClaim {
    // A look first: a mailer that finds nothing must not take the write lock.
    let due = try database.readBlocking { try Self.nextDue(in: $0) }
    guard let due, due <= now else { return MailClaim(mails: [], nextDue: due) }
    return try database.writeBlocking { transaction in
      let rows = try transaction.all(
        Self.claim, claimant.description, end.millisecondsSinceEpoch, now.millisecondsSinceEpoch, limit
      ) { row in
        (order: row.text(3), read: Result { () throws(DamagedMailRow) in try MailRow(row) })
      }
      var mails: [ClaimedMail] = []
      for row in rows {
        switch row.read {
        case .success(let read): mails.append(ClaimedMail(sequence: read.sequence, mail: read.mail))
        case .failure(let damage): try giveUp(damage, ofOrder: row.order, at: now, in: transaction)
        }
      }
      // RETURNING has no order of its own.
      mails.sort { $0.sequence < $1.sequence }
      return MailClaim(mails: mails, nextDue: try Self.nextDue(in: transaction))
    }
  }

  /// A mail that nobody can read has failed, and holds up neither its order nor anybody else.
  private func giveUp(
    _ damage: DamagedMailRow, ofOrder order: String, at now: Timestamp, in transaction: SQLiteTransaction
  ) throws {
    try transaction.execute(Self.failure, damage.description, damage.sequence)
    try release(nextOf: order, at: now, in: transaction)
  }

  /// Writes what came of claimed mails.
  ///
  /// - Returns: how many of them were still the claimant's.
  func settle(_ settlements: [MailSettlement], by claimant: MailClaimant, at now: Timestamp) throws -> Int {
    try database.writeBlocking { transaction in
      var settled = 0
      for settlement in settlements {
        guard try settle(settlement, by: claimant, in: transaction) else { continue }
        settled += 1
        if settlement.result.isFinal {
          try release(nextOf: settlement.mail.mail.orderID.rawValue, at: now, in: transaction)
        }
      }
      return settled
    }
  }

  /// Makes due what was claimed by processes that are gone, or for a time that is over.
  ///
  /// - Returns: how many mails that were. Some of them may have been sent.
  func takeBack(at now: Timestamp) throws -> Int {
    let sending = try database.readBlocking { database in
      try database.all(Self.sending, now.millisecondsSinceEpoch) { row in
        (claimant: row.textIfAny(0), isOver: row.integer(1) != 0)
      }
    }
    let gone = sending.filter { claim in
      claim.isOver || claim.claimant.flatMap(MailClaimant.init)?.process.isGone ?? true
    }
    guard !gone.isEmpty else { return 0 }
    return try database.writeBlocking { transaction in
      var taken = 0
      for claim in gone {
        let takeBack = claim.isOver ? Self.takeBackExpired : Self.takeBackAll
        taken += try transaction.execute(takeBack, claim.claimant, now.millisecondsSinceEpoch)
      }
      return taken
    }
  }

  /// How many mails are on their way.
  func pending() throws -> Int {
    try database.readBlocking { database in
      try database.first(Self.pendingCount) { Int($0.integer(0)) } ?? 0
    }
  }

  private func settle(
    _ settlement: MailSettlement, by claimant: MailClaimant, in transaction: SQLiteTransaction
  ) throws -> Bool {
    var delivery: (status: MailDelivery.Status, untried: Int, sentAt: Timestamp?, dueAt: Timestamp?, error: String?)
    switch settlement.result {
    case .sent(let time): delivery = (.sent, 0, time, nil, nil)
    case .again(let time, let error): delivery = (.pending, 0, nil, time, error)
    case .failed(let error): delivery = (.failed, 0, nil, nil, error)
    case .givenBack(let time): delivery = (.pending, 1, nil, time, settlement.mail.mail.delivery.error)
    }
    return try transaction.execute(
      Self.settlement, delivery.status.rawValue, delivery.untried, delivery.sentAt?.millisecondsSinceEpoch,
      delivery.dueAt?.millisecondsSinceEpoch, delivery.error, settlement.mail.sequence, claimant.description) == 1
  }

  /// Makes the next mail of an order due.
  private func release(nextOf order: String, at now: Timestamp, in transaction: SQLiteTransaction) throws {
    try transaction.execute(Self.release, now.millisecondsSinceEpoch, order, Self.behindAnother)
  }

  private static func nextDue(in reader: some SQLiteReader) throws -> Timestamp? {
    let due = try reader.first(nextDue, behindAnother) { $0.integerIfAny(0) } ?? nil
    return due.map(Timestamp.init(millisecondsSinceEpoch:))
  }
}

extension MailQueue {
  // Each names `due_at` so that the index of mails on their way can be used.
  static let nextDue = PreparedSQL("SELECT min(due_at) FROM emails WHERE status = 'PENDING' AND due_at < ?")

  static let claim = PreparedSQL(
    """
    UPDATE emails SET status = 'SENDING', claimed_by = ?, due_at = ?, attempts = attempts + 1
    WHERE sequence IN (
      SELECT sequence FROM emails WHERE status = 'PENDING' AND due_at <= ? ORDER BY due_at LIMIT ?)
    RETURNING \(MailRow.columns)
    """)

  static let sending = PreparedSQL(
    """
    SELECT DISTINCT claimed_by, due_at <= ? FROM emails WHERE status = 'SENDING' AND due_at IS NOT NULL
    """)

  static let pendingCount = PreparedSQL("SELECT count(*) FROM emails WHERE due_at IS NOT NULL")

  private static let failure = PreparedSQL(
    "UPDATE emails SET status = 'FAILED', due_at = NULL, claimed_by = NULL, error = ? WHERE sequence = ?")

  private static let settlement = PreparedSQL(
    """
    UPDATE emails SET status = ?, attempts = attempts - ?, sent_at = ?, due_at = ?, error = ?, claimed_by = NULL
    WHERE sequence = ? AND status = 'SENDING' AND claimed_by = ?
    """)

  // The unary plus makes the few mails of the order be looked at, by its own index.
  static let release = PreparedSQL(
    """
    UPDATE emails SET due_at = ?1
    WHERE +due_at = ?3 AND sequence = (SELECT min(sequence) FROM emails WHERE order_id = ?2 AND +due_at IS NOT NULL)
    """)

  private static let takeBackAll = PreparedSQL(
    """
    UPDATE emails SET status = 'PENDING', claimed_by = NULL, due_at = ?2
    WHERE status = 'SENDING' AND due_at IS NOT NULL AND claimed_by IS ?1
    """)

  private static let takeBackExpired = PreparedSQL(takeBackAll.text + " AND due_at <= ?2")
}

/// Who claims: one lane of the mailer of one process.
struct MailClaimant: Sendable, Hashable, LosslessStringConvertible {
  let lane: Int
  let process: ProcessIdentity

  init(lane: Int, process: ProcessIdentity) {
    self.lane = lane
    self.process = process
  }

  init?(_ description: String) {
    guard let space = description.firstIndex(of: " "), let lane = Int(description[..<space]),
      let process = ProcessIdentity(String(description[description.index(after: space)...]))
    else { return nil }
    self.init(lane: lane, process: process)
  }

  var description: String { "\(lane) \(process)" }
}

/// Mails that a mailer has to itself.
struct MailClaim: Sendable, Hashable {
  var mails: [ClaimedMail]
  /// When there will be more; nil where nothing waits but mails behind others of their order.
  var nextDue: Timestamp?
}

/// A mail in a mailer's hand. Its attempts count the one that is about to be made.
struct ClaimedMail: Sendable, Hashable {
  let sequence: Int64
  let mail: Mail
}

/// What came of a claimed mail.
struct MailSettlement: Sendable, Hashable {
  enum Result: Sendable, Hashable {
    case sent(at: Timestamp)
    /// It was tried, and is to be tried again.
    case again(at: Timestamp, error: String)
    case failed(error: String)
    /// It was not tried.
    case givenBack(at: Timestamp)

    /// Whether the next mail of the order may go.
    var isFinal: Bool {
      switch self {
      case .sent, .failed: true
      case .again, .givenBack: false
      }
    }
  }

  let mail: ClaimedMail
  let result: Result
}

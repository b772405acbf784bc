import FaultInjection
import GRDB
import Messaging
import WireFormat

/// The relay's lease: one row, a token that counts up with every grant, and an end by the wall clock.
///
/// The clock only decides who may try; who is right is decided by the token, inside the transaction of each mark.
extension SQLiteOutbox {
  public func acquireLease(for holder: LeaseHolder, duration: Duration) throws -> RelayLease? {
    let machine = ProcessTable.machine
    // A look first: a relay that waits for its turn asks often, and must not take the write lock each time.
    let seen = try database.readBlocking { try LeaseRow.fetch($0) }
    guard seen.isFree(at: now(), on: machine, for: duration) else { return nil }
    let startedAt = ProcessTable.start(of: holder)
    return try database.writeBlocking { [now] transaction in
      let database = transaction.database
      let row = try LeaseRow.fetch(database)
      guard row.isFree(at: now(), on: machine, for: duration) else { return nil }
      let token = row.token + 1
      try database.execute(
        sql: """
          UPDATE relay_lease SET token = ?, expires_at = ?, holder = ?, holder_machine = ?, process_id = ?,
            process_started_at = ?
          """,
        arguments: [
          token, (now() + duration).millisecondsSinceEpoch, holder.name, machine, holder.processID, startedAt,
        ])
      try Failpoint.leaseAcquiring.hit(holder.name)
      return RelayLease(token: token, publishEpoch: try Self.epoch(database))
    }
  }

  public func renewLease(_ lease: RelayLease, duration: Duration) throws {
    try database.writeBlocking { [now] transaction in
      try Self.require(lease, in: transaction)
      try transaction.execute(Self.prolongation, (now() + duration).millisecondsSinceEpoch)
      try Failpoint.leaseRenewing.hit()
    }
  }

  public func releaseLease(_ lease: RelayLease) throws {
    try database.writeBlocking { transaction in
      try transaction.database.execute(
        sql: """
          UPDATE relay_lease SET expires_at = 0, holder = NULL, holder_machine = NULL, process_id = NULL,
            process_started_at = NULL
          WHERE token = ?
          """,
        arguments: [lease.token])
    }
  }

  /// - Throws: `LeaseLost` when the lease is another's by now, or its epoch has passed.
  static func require(_ lease: RelayLease, in transaction: SQLiteTransaction) throws {
    if Mutation.leaseTokenUnchecked.isOn { return }
    let present = try transaction.first(presentLease) { RelayLease(token: $0.integer(0), publishEpoch: $0.integer(1)) }
    guard present == lease else { throw LeaseLost() }
  }

  private static let presentLease = PreparedSQL("SELECT token, publish_epoch FROM relay_lease, relay_state")
  private static let prolongation = PreparedSQL("UPDATE relay_lease SET expires_at = ?")

  static func epoch(_ database: Database) throws -> Int64 {
    try Int64.fetchOne(database.cachedStatement(sql: "SELECT publish_epoch FROM relay_state")) ?? 1
  }
}

/// The lease as it is written.
struct LeaseRow {
  var token: Int64
  var expiresAt: Timestamp
  var holder: String?
  var machine: String?
  var processID: Int32?
  var processStartedAt: Int64?

  static func fetch(_ database: Database) throws -> LeaseRow {
    guard let row = try Row.fetchOne(database, sql: "SELECT * FROM relay_lease") else {
      throw StoreUnavailable("the relay's lease has no row")
    }
    return LeaseRow(
      token: row["token"], expiresAt: row.moment("expires_at"), holder: row["holder"], machine: row["holder_machine"],
      processID: row["process_id"], processStartedAt: row["process_started_at"])
  }

  /// Nobody has it, it has expired, or its holder was a process of this machine and is gone. An end so far ahead that
  /// nobody can have meant it was written by a clock that has been put back since: it does not count.
  func isFree(at moment: Timestamp, on ownMachine: String, for duration: Duration) -> Bool {
    if Mutation.leaseForEverybody.isOn { return true }
    guard holder != nil, expiresAt > moment, expiresAt <= moment + duration + .seconds(60) else { return true }
    guard machine == ownMachine, let processID, let processStartedAt else { return false }
    return !ProcessTable.isRunning(processID, startedAt: processStartedAt)
  }
}

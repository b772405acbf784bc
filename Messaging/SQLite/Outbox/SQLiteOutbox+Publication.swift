import FaultInjection
import GRDB
import Messaging
import WireFormat

/// What the relay does with the rows.
extension SQLiteOutbox: OutboxStore {
  public func unpublished(after sequence: Int64, limit: Int) throws -> [OutboxRow] {
    guard limit > 0 else { return [] }
    return try database.readBlocking { database in
      var rows: [OutboxRow] = []
      try database.forEachRow(Self.unpublishedRows, [sequence, limit]) { row in
        let message = OutgoingMessage(
          topic: row.text(1), key: row.bytes(2), value: row.bytes(3),
          packedHeaders: try PackedHeaders(stored: row.bytes(4) ?? []))
        rows.append(OutboxRow(sequence: row.integer(0), message: message))
      }
      return rows
    }
  }

  public func unpublishedCount() throws -> Int? {
    try database.readBlocking { try Int.fetchOne($0.cachedStatement(sql: Self.unpublishedNumber)) }
  }

  public func markPublished(_ receipts: [PublicationReceipt], lease: RelayLease) throws {
    try database.writeBlocking { [publishedAt = now()] in
      try Self.mark(receipts, at: publishedAt, lease, in: $0)
    }
  }

  public func markPublished(
    _ receipts: [PublicationReceipt], lease: RelayLease, answer: @escaping @Sendable (Result<Void, any Error>) -> Void
  ) {
    database.write(
      isRepeatable: true, { [publishedAt = now()] in try Self.mark(receipts, at: publishedAt, lease, in: $0) },
      answer: answer)
  }

  private static func mark(
    _ receipts: [PublicationReceipt], at moment: Timestamp, _ lease: RelayLease, in transaction: SQLiteTransaction
  ) throws {
    try require(lease, in: transaction)
    var ends: [TopicPartition: Int64] = [:]
    for run in receipts.consecutiveRuns(by: \.sequence) {
      let first = run[run.startIndex].sequence
      let werePending = try transaction.execute(settle, first, first + Int64(run.count - 1)) == run.count
      for receipt in run {
        let position = receipt.position
        try transaction.execute(
          werePending ? publication : laterPublication, moment.millisecondsSinceEpoch,
          position.topicPartition.partition, position.offset, lease.publishEpoch, receipt.sequence)
        if let offset = position.offset { ends[position.topicPartition, default: offset].raise(to: offset) }
      }
    }
    for (partition, offset) in ends {
      try transaction.execute(raiseEnd, partition.topic, partition.partition, offset)
    }
    try Failpoint.outboxMarking.hit()
  }

  public func publicationState() throws -> PublicationState {
    try database.readBlocking { database in
      let state = try Row.fetchOne(database, sql: "SELECT cluster_id, epoch_ready_to FROM relay_state")
      let ends = try Row.fetchAll(database, sql: "SELECT topic, partition, highest_offset FROM relay_partition_ends")
      return PublicationState(
        clusterID: state?["cluster_id"],
        highestAcknowledged: Dictionary(
          ends.map { (TopicPartition($0[0], $0[1]), $0[2]) }, uniquingKeysWith: max),
        isEpochReady: state?["epoch_ready_to"] == nil)
    }
  }

  public func bind(toCluster clusterID: String, lease: RelayLease) throws {
    try database.writeBlocking { transaction in
      try Self.require(lease, in: transaction)
      try transaction.database.execute(sql: "UPDATE relay_state SET cluster_id = ?", arguments: [clusterID])
    }
  }

  public func beginEpoch(clusterID: String, lease: RelayLease) throws -> RelayLease {
    let epoch = RelayLease(token: lease.token, publishEpoch: lease.publishEpoch + 1)
    let cutoff = (now() - retention).millisecondsSinceEpoch
    try database.writeBlocking { transaction in
      try Self.require(lease, in: transaction)
      try transaction.database.execute(
        sql: "UPDATE relay_state SET cluster_id = ?, publish_epoch = ?, epoch_ready_to = 0, epoch_cutoff = ?",
        arguments: [clusterID, epoch.publishEpoch, cutoff])
      try transaction.database.execute(sql: "DELETE FROM relay_partition_ends")
      try Failpoint.outboxBeginningEpoch.hit()
    }
    return epoch
  }

  public func continueEpoch(lease: RelayLease, limit: Int) throws -> EpochStep {
    try database.writeBlocking { transaction in
      let database = transaction.database
      try Self.require(lease, in: transaction)
      guard let from = try Int64.fetchOne(database, sql: "SELECT epoch_ready_to FROM relay_state") else {
        return EpochStep(rows: 0, isReady: true)
      }
      let to = try Int64.fetchOne(database, sql: Self.endOfStep, arguments: [from, max(1, limit)])
      try database.execute(sql: "UPDATE relay_state SET epoch_ready_to = ?", arguments: [to])
      guard let to else { return EpochStep(rows: 0, isReady: true) }
      try database.execute(sql: Self.publishAgain, arguments: [from, to])
      let rows = database.changesCount
      try database.execute(sql: Self.forgetPublications, arguments: [from, to])
      try Failpoint.outboxContinuingEpoch.hit()
      return EpochStep(rows: rows, isReady: false)
    }
  }

  private static let unpublishedRows = """
    SELECT sequence, topic, message_key, message_value, headers
    FROM outbox_pending CROSS JOIN outbox_messages USING (sequence)
    WHERE sequence > ? ORDER BY sequence LIMIT ?
    """

  static let unpublishedNumber = "SELECT COUNT(*) FROM outbox_pending"

  private static let settle = PreparedSQL("DELETE FROM outbox_pending WHERE sequence BETWEEN ? AND ?")

  private static let publication = PreparedSQL(
    """
    INSERT INTO outbox_publications (published_at, published_partition, published_offset, publish_epoch, sequence)
    VALUES (?, ?, ?, ?, ?)
    """)

  // Of a mark that was made although it was reported as failed, or of a row that is gone since; and of its neighbours.
  private static let laterPublication = PreparedSQL(
    """
    INSERT INTO outbox_publications (published_at, published_partition, published_offset, publish_epoch, sequence)
    SELECT ?, ?, ?, ?, sequence FROM outbox_messages WHERE sequence = ?
    ON CONFLICT DO UPDATE SET
      published_at = excluded.published_at, published_partition = excluded.published_partition,
      published_offset = excluded.published_offset, publish_epoch = excluded.publish_epoch
    """)

  private static let raiseEnd = PreparedSQL(
    """
    INSERT INTO relay_partition_ends (topic, partition, highest_offset) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET highest_offset = max(highest_offset, excluded.highest_offset)
    """)

  private static let endOfStep = """
    SELECT max(sequence) FROM (SELECT sequence FROM outbox_messages WHERE sequence > ? ORDER BY sequence LIMIT ?)
    """

  private static let publishAgain = """
    INSERT INTO outbox_pending (sequence)
    SELECT sequence FROM outbox_publications CROSS JOIN outbox_messages USING (sequence)
    WHERE sequence > ? AND sequence <= ? AND CASE
      WHEN dead_letter_id IS NULL THEN published_at >= (SELECT epoch_cutoff FROM relay_state)
      ELSE dead_letter_id IN (SELECT id FROM dead_letters WHERE status = 'open') END
    """

  private static let forgetPublications = """
    DELETE FROM outbox_publications WHERE sequence > ? AND sequence <= ?
      AND EXISTS (SELECT 1 FROM outbox_pending WHERE outbox_pending.sequence = outbox_publications.sequence)
    """
}

extension Int64 {
  fileprivate mutating func raise(to other: Int64) {
    self = Swift.max(self, other)
  }
}

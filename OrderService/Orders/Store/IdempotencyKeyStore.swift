import EventSchema
import MessagingSQLite
import WireFormat

/// What the first attempt with a key was answered with.
public struct FirstAnswer: Sendable, Hashable {
  public var orderID: OrderID
  /// The body, byte for byte.
  public var body: [UInt8]
}

/// The keys of orders that were placed, each with its first answer, for ``retention``.
///
/// Writes belong to the caller's transaction: that of the order.
public struct IdempotencyKeyStore: Sendable {
  /// How long a key stands for its order; afterwards it is free again.
  public static let retention = Duration.seconds(24 * 3600)

  public init() {}

  /// Takes the key for an order that is about to be placed.
  ///
  /// - Returns: nil when the key is taken now; with nothing written, the answer that it stands for when it was before.
  func claim(
    _ key: IdempotencyKey, answer: FirstAnswer, at now: Timestamp, in transaction: SQLiteTransaction
  ) throws -> FirstAnswer? {
    let claimed = try transaction.execute(
      Self.claim, key.requester, key.text, answer.orderID.rawValue, now.millisecondsSinceEpoch, answer.body,
      Self.newestOutlived(at: now))
    guard claimed == 0 else { return nil }
    return try transaction.first(Self.selection, key.requester, key.text) { row in
      guard let orderID = OrderID(row.text(0)) else { throw DamagedKeyRow(orderID: row.text(0)) }
      return FirstAnswer(orderID: orderID, body: row.bytes(1) ?? [])
    }
  }

  /// Deletes at most `limit` keys that have outlived their retention.
  ///
  /// - Returns: how many; fewer than `limit` means that none is left.
  func purge(at now: Timestamp, limit: Int, in transaction: SQLiteTransaction) throws -> Int {
    try transaction.execute(Self.purge, Self.newestOutlived(at: now), limit)
  }

  private static func newestOutlived(at now: Timestamp) -> Int64 {
    (now - retention).millisecondsSinceEpoch
  }

  /// A key that has outlived its retention, and has not been purged yet, is taken over.
  private static let claim = PreparedSQL(
    """
    INSERT INTO idempotency_keys (requester, idempotency_key, order_id, created_at, answer) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (requester, idempotency_key) DO UPDATE
      SET order_id = excluded.order_id, created_at = excluded.created_at, answer = excluded.answer
      WHERE idempotency_keys.created_at <= ?
    """)

  private static let selection = PreparedSQL(
    """
    SELECT order_id, answer FROM idempotency_keys WHERE requester = ? AND idempotency_key = ?
    """)

  private static let purge = PreparedSQL(
    """
    DELETE FROM idempotency_keys
    WHERE rowid IN (SELECT rowid FROM idempotency_keys WHERE created_at <= ? ORDER BY created_at LIMIT ?)
    """)
}

/// A row that this service cannot have written: the file was changed by somebody else. Trying again does not help.
private struct DamagedKeyRow: Error, CustomStringConvertible {
  let orderID: String

  var description: String { "the idempotency key of order \(orderID) cannot be read" }
}

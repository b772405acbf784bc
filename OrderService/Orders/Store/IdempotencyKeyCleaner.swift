import Logging
import MessagingSQLite
import ServiceLifecycle
import WireFormat

/// Deletes keys that have outlived their retention, a few at a time, so that orders hardly notice. Until then they are
/// free already: when they go does not matter to anybody.
struct IdempotencyKeyCleaner: Service {
  /// Keys in a transaction: about a millisecond of the writer's time.
  static let batch = 500

  let database: SQLiteDatabase
  let keys: IdempotencyKeyStore
  let now: @Sendable () -> Timestamp
  let logger: Logger

  func run() async throws {
    try await RepeatedPurge(of: "idempotency keys", logger: logger, purge: clean).run()
  }

  /// One round.
  ///
  /// - Returns: how many keys were deleted.
  func clean() async throws -> Int {
    var deleted = 0
    while true {
      try Task.checkCancellation()
      let now = now()
      let step = try await database.write { [keys] in try keys.purge(at: now, limit: Self.batch, in: $0) }
      deleted += step
      guard step == Self.batch else { return deleted }
    }
  }
}

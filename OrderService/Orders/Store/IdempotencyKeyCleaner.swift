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
  /// Between two rounds.
  var interval: Duration = .seconds(600)
  let logger: Logger

  func run() async throws {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        do {
          let deleted = try await clean()
          if deleted > 0 { logger.info("idempotency keys: rows deleted", metadata: ["rows": "\(deleted)"]) }
        } catch {
          logger.warning("idempotency keys: round given up, the next will go on", metadata: ["error": "\(error)"])
        }
        try? await Task.sleep(for: interval)
      }
    }
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

import Logging
import Messaging
import ServiceLifecycle

/// Deletes what has outlived its retention, a few rows at a time, so that writes hardly notice. At least what is older
/// than promised goes at some time; nothing younger ever does.
public struct RetentionCleaner: Service {
  private let outbox: SQLiteOutbox
  private let inbox: SQLiteInbox
  private let inboxRetention: Duration
  private let interval: Duration
  private let logger: Logger

  /// - Parameters:
  ///   - inboxRetention: how long handled events are remembered; the outbox knows its own retention.
  ///   - interval: the pause between two rounds.
  public init(
    outbox: SQLiteOutbox, inbox: SQLiteInbox, inboxRetention: Duration, interval: Duration = .seconds(600),
    logger: Logger
  ) {
    self.outbox = outbox
    self.inbox = inbox
    self.inboxRetention = inboxRetention
    self.interval = interval
    self.logger = logger
  }

  /// Returns after the graceful shutdown.
  public func run() async throws {
    try await RepeatedPurge(of: "outbox and inbox", every: interval, logger: logger, purge: clean).run()
  }

  /// One round through all tables.
  ///
  /// - Returns: how many rows were deleted.
  public func clean() async throws -> Int {
    try await stepwise(from: 0) { try await outbox.purge(after: $0, limit: Self.rows) }
      + stepwise(from: "") { [inboxRetention] in
        try await inbox.purgeProcessed(olderThan: inboxRetention, after: $0, limit: Self.rows)
      }
      + repeated { try await inbox.purgeDeadLetters(olderThan: inboxRetention) }
      + repeated { try await inbox.purgeRecords(olderThan: inboxRetention) }
  }

  /// Rows that a step looks at, and the rest after it: so many times as long as a step took that deleted something, within
  /// bounds. Steps are short, and the writer has most of its time for others; the busier it is, the longer a step takes,
  /// and the rest after it.
  private static let rows = 200
  private static let restPerStep = 8
  private static let shortestRest = Duration.milliseconds(5)
  private static let longestRest = Duration.milliseconds(50)

  private func stepwise<Position>(
    from start: Position, _ purge: (Position) async throws -> PurgeStep<Position>
  ) async throws -> Int {
    var deleted = 0
    var position: Position? = start
    while let after = position {
      try Task.checkCancellation()
      let begun = ContinuousClock.now
      let step = try await purge(after)
      let rest = step.deleted > 0 ? (ContinuousClock.now - begun) * Self.restPerStep : .zero
      deleted += step.deleted
      position = step.next
      if position != nil { try await Task.sleep(for: min(max(rest, Self.shortestRest), Self.longestRest)) }
    }
    return deleted
  }

  /// Step after step until one finds nothing.
  private func repeated(_ step: () async throws -> Int) async throws -> Int {
    var deleted = 0
    while true {
      try Task.checkCancellation()
      let rows = try await step()
      guard rows > 0 else { return deleted }
      deleted += rows
    }
  }
}

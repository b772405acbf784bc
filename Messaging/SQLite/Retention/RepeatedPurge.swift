import Logging
import ServiceLifecycle

/// Purges now and then until the shutdown. A round that fails is logged, and the next one begins again.
public struct RepeatedPurge: Service {
  private let name: String
  private let interval: Duration
  private let logger: Logger
  private let purge: @Sendable () async throws -> Int

  /// - Parameters:
  ///   - name: what is purged, for the log.
  ///   - interval: the pause between two rounds.
  ///   - purge: one round, in transactions so short that writes hardly notice; returns how many rows it deleted. Ends
  ///     early when its task is cancelled.
  public init(
    of name: String, every interval: Duration = .seconds(600), logger: Logger,
    purge: @escaping @Sendable () async throws -> Int
  ) {
    self.name = name
    self.interval = interval
    self.logger = logger
    self.purge = purge
  }

  /// Returns after the graceful shutdown; the step in hand is finished.
  public func run() async throws {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        do {
          let deleted = try await purge()
          if deleted > 0 { logger.info("Rows purged", metadata: ["of": "\(name)", "rows": "\(deleted)"]) }
        } catch {
          logger.warning(
            "A purge is given up, the next will go on", metadata: ["of": "\(name)", "error": "\(error)"])
        }
        try? await Task.sleep(for: interval)
      }
    }
  }
}

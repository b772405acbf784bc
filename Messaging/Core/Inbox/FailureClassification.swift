import FaultInjection

/// A handler or a store throws this when going on would do harm: the wrong database, a damaged file. The service stops,
/// and nothing of the batch is written.
public struct StopConsuming: Error, Sendable, Hashable, CustomStringConvertible {
  public var reason: String

  public init(_ reason: String) { self.reason = reason }

  public var description: String { reason }
}

/// The decision about a failure while an event is handled. Every error gets one, here and nowhere else.
public enum FailureClassification: Sendable, Hashable {
  /// The event's own trouble, which may pass: it is rolled back and tried again after a pause, up to
  /// ``RetryPolicy/maxAttempts``, and is a dead letter then.
  case retry
  /// No attempt can help: a dead letter at once.
  case deadLetter(reason: String)
  /// The store's trouble and not the event's: busy, full, gone. Nothing is given up; everything waits for the store.
  case waitForStore(reason: String)
  /// Going on would do harm: the service stops.
  case stop(reason: String)

  public init(_ error: any Error) {
    self =
      switch error {
      case let error as DeadLetterError: .deadLetter(reason: error.reason)
      case is StoreUnavailable where Mutation.storeTroubleIsAnAttempt.isOn: .retry
      case let error as StoreUnavailable: .waitForStore(reason: error.reason)
      case let error as StopConsuming: .stop(reason: error.reason)
      default: .retry
      }
  }
}

import Foundation
import Synchronization

/// Decides what happens at a ``Failpoint``: the handler of the calling thread, else the plan of the environment.
public enum FaultInjection {
  /// Called at every failpoint that the thread passes; what it throws is thrown there.
  public typealias Handler = @Sendable (_ failpoint: Failpoint, _ subject: String) throws -> Void

  /// Runs `body` with `handler` asked at every failpoint that the calling thread passes meanwhile. For simulations: what
  /// other threads pass, a store's writer among them, is not theirs.
  public static func withHandler<Result>(_ handler: @escaping Handler, _ body: () throws -> Result) rethrows -> Result {
    let dictionary = Thread.current.threadDictionary
    let before = dictionary[handlerKey]
    dictionary[handlerKey] = HandlerBox(handler)
    handlers.add(1, ordering: .sequentiallyConsistent)
    defer {
      handlers.subtract(1, ordering: .sequentiallyConsistent)
      dictionary[handlerKey] = before
    }
    return try body()
  }

  @usableFromInline static var isArmed: Bool {
    handlers.load(ordering: .relaxed) > 0 || plan != nil
  }

  @usableFromInline static func reach(_ failpoint: Failpoint, _ subject: String) throws {
    if let box = Thread.current.threadDictionary[handlerKey] as? HandlerBox {
      return try box.handler(failpoint, subject)
    }
    try plan?.reach(failpoint, subject)
  }

  private static let handlerKey = "orderflow.failpoints"
  private static let handlers = Atomic<Int>(0)
  private static let plan = FailpointPlan(environment: ProcessInfo.processInfo.environment)
}

private final class HandlerBox: Sendable {
  let handler: FaultInjection.Handler

  init(_ handler: @escaping FaultInjection.Handler) { self.handler = handler }
}

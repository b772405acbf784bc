/// Something did not happen in time.
public struct DeadlineExceeded: Error, CustomStringConvertible {
  public let what: String
  public var description: String { "not in time: \(what)" }
}

/// Runs `work`, and gives it up after `limit`.
public func deadline<Value: Sendable>(
  _ limit: Duration, _ what: String, detail: @escaping @Sendable () -> String = { "" },
  _ work: @escaping @Sendable () async throws -> Value
) async throws -> Value {
  try await withThrowingTaskGroup(of: Value.self) { group in
    group.addTask(operation: work)
    group.addTask {
      try await Task.sleep(for: limit)
      throw DeadlineExceeded(what: what + "\n" + detail())
    }
    defer { group.cancelAll() }
    guard let value = try await group.next() else { throw CancellationError() }
    return value
  }
}

/// Asks again until `condition` gives a value. For what can only be seen from outside, where nobody signals.
public func eventually<Value: Sendable>(
  _ what: String, within limit: Duration = .seconds(60), every pause: Duration = .milliseconds(50),
  _ condition: () async throws -> Value?
) async throws -> Value {
  let clock = ContinuousClock()
  let end = clock.now + limit
  while clock.now < end {
    if let value = try await condition() { return value }
    try await Task.sleep(for: pause)
  }
  throw DeadlineExceeded(what: what)
}

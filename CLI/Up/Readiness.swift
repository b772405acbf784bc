import WireFormat

/// Waits for a service's `GET /ready`.
struct Readiness: Sendable {
  /// Between two questions; the route has no long poll.
  static let pause = Duration.milliseconds(50)
  /// After this long without success the reason is said, and again when it changes.
  static let patience = Duration.seconds(5)

  let client: ServiceClient

  /// Returns when the service is ready; never before.
  ///
  /// - Parameter tell: given the reason why it is not, each new one once.
  /// - Throws: `CancellationError`
  func wait(telling tell: (String) -> Void) async throws {
    let start = ContinuousClock.now
    var told = ""
    while true {
      let reason: String
      do {
        let answer = try await client.send("GET", "/ready", timeout: .seconds(5))
        if answer.status == 200 { return }
        reason = Self.reason(answer)
      } catch let failure as Failure {
        reason = failure.description
      }
      if reason != told, .now - start > Self.patience {
        tell(reason)
        told = reason
      }
      try await Task.sleep(for: Self.pause)
    }
  }

  private static func reason(_ answer: ServiceClient.Answer) -> String {
    let body = (try? JSONValue(parsing: answer.body))?.object
    return (body?["reason"]?.string ?? body?["detail"]?.string)?.printable ?? answer.problem
  }
}

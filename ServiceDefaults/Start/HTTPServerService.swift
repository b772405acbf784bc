import FaultInjection
import Hummingbird
import Logging
import ServiceLifecycle

/// The HTTP server, with an end: after the signal to stop it takes no more connections, answers what it has, and after
/// some seconds cuts off what is still open, so that those who stop after it have time too.
struct HTTPServerService: Service {
  let application: Application<ServiceResponder>
  var patience: Duration = .seconds(3)
  let logger: Logger

  func run() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await application.run() }
      group.addTask { [patience, logger] in
        try? await gracefulShutdown()
        guard (try? await Task.sleep(for: patience)) != nil else { return }
        logger.notice("Requests are cut off: they took too long to end")
      }
      defer { group.cancelAll() }
      // The server's end, its failure, or the end of patience: each of them ends the other task.
      try await group.next()
      group.cancelAll()
      while let result = await group.nextResult() {
        if case .failure(let error) = result, !(error is CancellationError) { throw error }
      }
    }
    Failpoint.serviceStopping.pass()
  }
}
